add_executable(restart-load
  system/load/client.cpp
  system/load/main.cpp
  system/load/pattern.cpp
)
target_link_libraries(restart-load PRIVATE test-support upcase_flags)
