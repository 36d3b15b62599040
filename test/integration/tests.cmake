add_executable(classic-client integration/classic_client.cpp)
target_link_libraries(classic-client PRIVATE upcase_flags)

upcase_tests(integration LIBRARIES test-support SOURCES
  integration/client_test.cpp
  integration/configuration_test.cpp
  integration/echo_test.cpp
  integration/life_test.cpp
)
target_compile_definitions(test-integration PRIVATE
  CLASSIC_CLIENT="$<TARGET_FILE:classic-client>"
)
