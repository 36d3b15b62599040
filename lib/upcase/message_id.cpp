// message_id: the table. The first row that fits is the one.

#include <upcase/message_id.hpp>

#include <algorithm>
#include <array>

namespace upcase {
namespace {

constexpr std::array<message_kind, 34> table{{
    {event::deny, "verdict", "unnamed", "0199e256ecf440f3bcfced451140d567"},
    {event::deny, "verdict", "abstract", "5954c643c63243b997b577fe8741a278"},
    {event::deny, "verdict", "too-long", "c129179f97d54203b8f026d20bc74019"},
    {event::deny, "verdict", "unmapped-uid", "9ce9e92c4540482ab6911ca2eb494183"},
    {event::deny, "verdict", "relative", "5a8662d257564319ac983e983f44107e"},
    {event::deny, "verdict", "outside", "33a146c8b67540eaac9a08388b69cc62"},
    {event::deny, "verdict", "not-found", "51ce81bf7a694453a2dc17e833e1aeb9"},
    {event::deny, "verdict", "crossed-mount", "6fbf628b37ae4a60a42d57efb641f858"},
    {event::deny, "verdict", "not-a-socket", "cf67ebb26d9440e180f2e1cc8d9f8aff"},
    {event::deny, "verdict", "linked", "90a947b4599c4c538b466996e44d2086"},
    {event::deny, "verdict", "mode", "4f2d566c56ec4dd0a2fb639889f7e12b"},
    {event::deny, "verdict", "stale", "ec74e838e7da4cc7a7f3d7419630fc9b"},
    {event::deny, "verdict", "uid-mismatch", "f8e7a4fb108b4a5ba5785fd056013c16"},
    {event::deny, "verdict", "busy", "ea3c1437a2ce4e1196693134f35bb211"},
    {event::deny, "verdict", "denied", "28b99c8fdd0c4793aabac2c6b597b8d3"},
    {event::deny, "verdict", "over-quota", "53caad2d1f88480cb9f9c6b34150f1e1"},
    {event::deny, "refusals-not-logged", "", "5f8588dad5c44a8b904ef136c47f84b4"},
    {event::deny, "", "", "9e12c19999e14215961096e60cb501f3"},
    {event::allow, "clients-not-logged", "", "8a2f1fa6e7dd486b9031e863394fc8a5"},
    {event::allow, "", "", "35d2a62bc63a49ae92cdf9d97149323b"},
    {event::end, "", "", "bbdbb45a253344b393490ed025273f3d"},
    {event::status, "state", "serving", "8e05b896207547678fdbf91113ebbee8"},
    {event::status, "state", "draining", "27c2311797464bb99ea2ed5c6f2c4c85"},
    {event::status, "state", "stopped", "2ecb365ac11f45a5bb437b08c0179948"},
    {event::status, "state", "failed", "78c76a22cc2e424cadd5163be3a274ba"},
    {event::status, "configuration", "refused", "d8826d599e444dc49d7a07b39e9cf435"},
    {event::status, "configuration", "kept", "8702d3fcc7ec43628c55e2b298740e2d"},
    {event::status, "restart", "partial", "67d1bd38e6be4e1fa30c276c7c06a25c"},
    {event::status, "reload", "done", "ac1e7b7b059a491c92f48176da03815d"},
    {event::status, "reload", "refused", "88854c19525f4e64b98f6e378cdc21a2"},
    {event::status, "reload", "partial", "2b47540ff6844b1eb2afe1047879dacc"},
    {event::status, "accepting", "paused", "78a0679a30154cec8a313df4e7f67330"},
    {event::status, "client-files", "kept", "8e4f4dea0ae14a78b508627fb959b36a"},
    {event::status, "", "", "aae5359c5df545eb843cd5843785e0e2"},
}};

}  // namespace

std::span<const message_kind> message_kinds() noexcept { return table; }

std::string_view message_id(event what, log_fields fields) noexcept {
  const auto fits = [&](const message_kind& kind) {
    return kind.what == what &&
           (kind.key.empty() || std::ranges::any_of(fields, [&](const log_field& field) {
              return field.key == kind.key && (kind.value.empty() || field.value == kind.value);
            }));
  };
  // Never the end: each word has a row without a key.
  return std::ranges::find_if(table, fits)->id;
}

}  // namespace upcase
