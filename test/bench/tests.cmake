# The load generator is built and tested with everything else: numbers are worth
# what its checking is worth. The benchmark itself is no test.
add_subdirectory(bench/load)

upcase_tests(bench LIBRARIES test-support SOURCES bench/load_test.cpp)
target_compile_definitions(test-bench PRIVATE LOAD_PROGRAM="$<TARGET_FILE:bench-load>")
add_dependencies(test-bench bench-load)
