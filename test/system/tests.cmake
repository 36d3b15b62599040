# What the packages promise on a booted systemd. One machine serves all
# scenarios, one after the other; each is a file of its own, which can also be
# run by itself (see system/support). CTest boots the host's own Debian;
# system/run boots others.

add_executable(restart-load
  system/load/client.cpp
  system/load/main.cpp
  system/load/pattern.cpp
)
target_link_libraries(restart-load PRIVATE test-support upcase_flags)

# The packages are built by their own rules; a tree of another kind would only
# test the same ones again.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR UPCASE_SANITIZE)
  return()
endif()

# Two trees on one host do not meet.
string(MD5 tree ${CMAKE_BINARY_DIR})
string(SUBSTRING ${tree} 0 8 tree)
set(machine_name upcased-${tree})
set(system ${CMAKE_CURRENT_SOURCE_DIR}/system)

add_test(NAME system.machine.prepare
  COMMAND ${CMAKE_COMMAND} -E env UPCASE_BUILD=${CMAKE_BINARY_DIR} ${system}/prepare ${machine_name}
)
add_test(NAME system.machine.stop COMMAND ${system}/machine stop ${machine_name})
set_tests_properties(system.machine.prepare PROPERTIES FIXTURES_SETUP machine)
set_tests_properties(system.machine.stop PROPERTIES FIXTURES_CLEANUP machine)
set(tests system.machine.prepare system.machine.stop)

execute_process(COMMAND ${system}/run --list OUTPUT_VARIABLE scenarios COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" scenarios "${scenarios}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${system})
foreach(scenario IN LISTS scenarios)
  set(test system.${scenario})
  add_test(NAME ${test}
    COMMAND ${system}/machine run ${machine_name} /mnt/source/test/system/${scenario}
  )
  set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED machine)
  list(APPEND tests ${test})
endforeach()
set_tests_properties(${tests} PROPERTIES
  LABELS system
  TIMEOUT 600
  SKIP_RETURN_CODE 77
  RESOURCE_LOCK machine
)
# It builds the packages.
set_tests_properties(system.machine.prepare PROPERTIES TIMEOUT 1800)
# What measures time wants the processors for itself.
set_tests_properties(system.restart PROPERTIES RUN_SERIAL TRUE)
