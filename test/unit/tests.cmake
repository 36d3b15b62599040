upcase_tests(unit LIBRARIES upcase::upcase test-support SOURCES
  unit/uppercase_test.cpp
)
