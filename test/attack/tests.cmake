upcase_tests(attack LIBRARIES test-support SOURCES
  attack/name_test.cpp
)
