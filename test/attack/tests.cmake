upcase_tests(attack LIBRARIES test-support SOURCES
  attack/directory_lock_test.cpp
  attack/pressure_test.cpp
  attack/stalled_file_system_test.cpp
  attack/verdict_test.cpp
)
