upcase_tests(unit LIBRARIES upcase::upcase test-support SOURCES
  support/failing_allocation.cpp
  support/running_server.cpp
  unit/access_test.cpp
  unit/blocking_pool_test.cpp
  unit/credentials_test.cpp
  unit/deadlines_test.cpp
  unit/descriptor_closer_test.cpp
  unit/event_loop_test.cpp
  unit/handover_record_test.cpp
  unit/handover_test.cpp
  unit/journal_test.cpp
  unit/listener_test.cpp
  unit/loader_test.cpp
  unit/log_test.cpp
  unit/mailbox_test.cpp
  unit/pending_output_test.cpp
  unit/server_test.cpp
  unit/session_test.cpp
  unit/uppercase_test.cpp
  unit/values_test.cpp
  unit/wakeup_test.cpp
)
target_compile_definitions(test-unit PRIVATE
  UPCASE_CATALOGUE="${PROJECT_SOURCE_DIR}/packaging/upcased.catalog"
)
