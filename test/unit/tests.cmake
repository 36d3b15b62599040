upcase_tests(unit LIBRARIES upcase::upcase test-support SOURCES
  support/failing_allocation.cpp
  support/running_server.cpp
  unit/acceptor_test.cpp
  unit/access_test.cpp
  unit/blocking_pool_test.cpp
  unit/client_directory_test.cpp
  unit/client_socket_test.cpp
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
  unit/peer_test.cpp
  unit/pending_output_test.cpp
  unit/placement_test.cpp
  unit/relay_test.cpp
  unit/server_test.cpp
  unit/session_test.cpp
  unit/stderr_log_test.cpp
  unit/status_report_test.cpp
  unit/unread_output_test.cpp
  unit/uppercase_test.cpp
  unit/values_test.cpp
  unit/wakeup_test.cpp
  unit/worker_test.cpp
  unit/write_only_test.cpp
)
target_sources(test-unit PRIVATE ${PROJECT_SOURCE_DIR}/daemon/upcased/status_report.cpp)
target_compile_definitions(test-unit PRIVATE
  UPCASE_CATALOGUE="${PROJECT_SOURCE_DIR}/packaging/upcased.catalog"
)
