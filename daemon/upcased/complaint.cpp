// complaint: standard error, or the journal where that is it.

#include "complaint.hpp"

#include <sysexits.h>
#include <upcase/standard_streams.hpp>
#include <upcase/stderr_log.hpp>

namespace upcased {

void complain(upcase::log& journal, const std::string& sentence, upcase::log_fields fields) {
  if (upcase::stderr_is_journal()) {
    journal.write(upcase::log_level::error, upcase::event::status, fields);
  } else {
    upcase::complain(sentence);
  }
}

int complain_about(upcase::log& journal, const upcase::loaded_settings& refused) {
  for (const std::string& problem : refused.problems) {
    complain(journal, problem, {{"configuration", "refused"}, {"problem", problem}});
  }
  return refused.may_pass ? EX_OSERR : EX_CONFIG;
}

}  // namespace upcased
