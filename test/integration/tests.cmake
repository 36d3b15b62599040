upcase_tests(integration LIBRARIES test-support SOURCES
  integration/echo_test.cpp
)
