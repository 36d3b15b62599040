add_executable(classic-client integration/classic_client.cpp)
target_compile_features(classic-client PRIVATE cxx_std_20)
target_link_libraries(classic-client PRIVATE upcase_flags)

set(systemd_tests "")
if(UPCASE_SYSTEMD)
  set(systemd_tests integration/systemd_test.cpp)
endif()
upcase_tests(integration LIBRARIES test-support SOURCES
  integration/administration_test.cpp
  integration/client_advice_test.cpp
  integration/client_end_test.cpp
  integration/client_signals_test.cpp
  integration/client_test.cpp
  integration/client_directory_elsewhere_test.cpp
  integration/configuration_test.cpp
  integration/configuration_trust_test.cpp
  integration/cost_test.cpp
  integration/echo_test.cpp
  integration/handover_signals_test.cpp
  integration/handover_test.cpp
  integration/inherited_settings_test.cpp
  integration/life_test.cpp
  integration/name_service_test.cpp
  integration/listening_test.cpp
  integration/succession_test.cpp
  integration/slow_file_system_test.cpp
  ${systemd_tests}
)
target_compile_definitions(test-integration PRIVATE
  CLASSIC_CLIENT="$<TARGET_FILE:classic-client>"
)

# Some once more with four event loops, whatever the others have: the whole is
# run with them under ThreadSanitizer only (test/run).
foreach(test IN ITEMS
  attack/pressure/clients_that_come_and_go_at_once
  integration/configuration/the_soft_limit_of_descriptors_is_raised
  integration/echo/six_hundred_clients_interleaved
  integration/life/a_drain_answers_full_pipes
  integration/life/a_reload_ends_those_whom_it_denies
)
  string(REGEX MATCH "^([a-z]+)/([a-z_]+)/([a-z_]+)$" matched ${test})
  set(name ${CMAKE_MATCH_1}.four_threads.${CMAKE_MATCH_3})
  add_test(NAME ${name}
    COMMAND test-${CMAKE_MATCH_1} --run_test=${CMAKE_MATCH_2}/${CMAKE_MATCH_3} --log_level=test_suite
  )
  set_tests_properties(${name} PROPERTIES
    LABELS ${CMAKE_MATCH_1}
    TIMEOUT 120
    ENVIRONMENT UPCASE_TEST_THREADS=4
  )
endforeach()

# What a foreign program must be linked with to use a library built with it.
set(foreign_flags "")
if(UPCASE_SANITIZE)
  set(foreign_flags -fsanitize=${UPCASE_SANITIZE})
endif()
add_test(NAME integration.foreign.adds_the_source_folder
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/foreign/configure-with-source
    ${PROJECT_SOURCE_DIR}
)
set_tests_properties(integration.foreign.adds_the_source_folder PROPERTIES
  LABELS integration
  TIMEOUT 300
)
add_test(NAME integration.foreign.finds_builds_and_serves
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/foreign/build-and-run
    ${CMAKE_BINARY_DIR} $<TARGET_FILE:upcase>
    "${foreign_flags}"
)
set_tests_properties(integration.foreign.finds_builds_and_serves PROPERTIES
  LABELS integration
  TIMEOUT 300
)

add_test(NAME integration.install.is_whole_under_a_prefix
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/install/check
    ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR} ${PROJECT_VERSION} $<BOOL:${SCDOC}>
)
set_tests_properties(integration.install.is_whole_under_a_prefix PROPERTIES
  LABELS integration
  TIMEOUT 120
)

add_test(NAME integration.surface.is_the_same_everywhere
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/surface/check
    $<TARGET_FILE:upcased> $<TARGET_FILE:upcase>
)
set_tests_properties(integration.surface.is_the_same_everywhere PROPERTIES
  LABELS integration
  TIMEOUT 120
)

# What upcased-clients(7) shows, each where its program is installed.
set(other_clients ${CMAKE_CURRENT_SOURCE_DIR}/integration/other_clients)
set(tests "")
foreach(language IN ITEMS
  GO:go JAVA:java NCAT:ncat NODE:node "OPENBSD NETCAT:nc.openbsd" PERL:perl PHP:php PYTHON:python3 RUBY:ruby
  SOCAT:socat
)
  string(REGEX MATCH "^(.*):(.*)$" matched ${language})
  set(test integration.other_clients.${CMAKE_MATCH_2})
  add_test(NAME ${test}
    COMMAND ${other_clients}/check $<TARGET_FILE:upcased> ${CMAKE_MATCH_1} ${CMAKE_MATCH_2}
  )
  list(APPEND tests ${test})
endforeach()
add_test(NAME integration.other_clients.haproxy
  COMMAND ${other_clients}/haproxy $<TARGET_FILE:upcased>
)
set_tests_properties(${tests} integration.other_clients.haproxy PROPERTIES
  LABELS integration
  TIMEOUT 300
  SKIP_REGULAR_EXPRESSION "SKIPPED: "
)

if(UPCASE_SYSTEMD)
  add_test(NAME integration.systemd.units_are_sound_and_tight
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/check-units
      ${PROJECT_SOURCE_DIR}/systemd $<TARGET_FILE:upcased>
  )
  set_tests_properties(integration.systemd.units_are_sound_and_tight PROPERTIES
    LABELS integration
    TIMEOUT 60
    SKIP_REGULAR_EXPRESSION "SKIPPED: "
  )
endif()
