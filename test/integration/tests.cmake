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

add_test(NAME integration.foreign.finds_builds_and_serves
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integration/foreign/build-and-run
    ${CMAKE_BINARY_DIR} $<TARGET_FILE:upcase>
    "$<$<BOOL:${UPCASE_SANITIZE}>:-fsanitize=${UPCASE_SANITIZE}>"
)
set_tests_properties(integration.foreign.finds_builds_and_serves PROPERTIES
  LABELS integration
  TIMEOUT 300
)
