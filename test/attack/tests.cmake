upcase_tests(attack LIBRARIES test-support SOURCES
  attack/name_test.cpp
  attack/pressure_test.cpp
  attack/verdict_test.cpp
)
