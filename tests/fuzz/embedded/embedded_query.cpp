// Query strings of Graph requests: options, $filter, $orderby, $expand; and JSON bodies.
#include <exception>
#include <string>

#include "m365/graph/draft.h"
#include "m365/graph/filter.h"
#include "m365/graph/graph_error.h"
#include "m365/graph/query.h"
#include "m365/graph/render.h"
#include "m365/json.h"
#include "m365/server/http.h"
#include "m365/world/ids.h"
#include "m365/world/mailbox.h"
#include "require.h"

namespace {

constexpr const char* guid = "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10";
constexpr const char* all_options =
    "$select,$filter,$orderby,$expand,$search,$skiptoken,$deltatoken,$top,$skip,$count,changeType,"
    "includeHiddenFolders";

// A mailbox with one mail, for filters to be asked of.
struct World {
  World() : mailbox(guid, clock, "en") {
    embedded::Message mail;
    mail.subject = "Order 17";
    mail.from = embedded::Address{"Ann", "ann@fabrikam.example"};
    mail.to = {{"Support", "support@contoso.example"}};
    mail.internet_message_id = "<a@b.example>";
    mail.html = "<p>Hello</p>";
    mail.received = clock.second();
    message = &mailbox.add(mailbox.well_known("inbox"), std::move(mail));
  }
  embedded::Clock clock;
  embedded::Mailbox mailbox;
  embedded::Message* message;
};

// GraphError is the one refusal there is; everything else would be an answer 500.
template <typename Call>
void refused_or_done(Call call) {
  try {
    call();
  } catch (const embedded::GraphError& error) {
    require(error.status == 400, "a faulty question is told with 400");
  }
}

void filter_by(World& world, const std::string& text) {
  refused_or_done([&] {
    const embedded::Filter filter = embedded::Filter::parse(text);
    filter.matches(world.mailbox, *world.message);
    filter.received_from();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const auto lock = world.mailbox.lock();
  const std::string text(as_text(data, size));
  refused_or_done([&] {
    const embedded::Query query = embedded::parse_query(text, all_options);
    if (query.select) refused_or_done([&] { embedded::select_properties(*query.select); });
    if (query.expand) refused_or_done([&] { embedded::parse_expand(*query.expand); });
    if (query.filter) filter_by(world, *query.filter);
    if (query.filter && query.orderby) {
      refused_or_done([&] {
        embedded::check_order_and_filter(embedded::parse_orderby(*query.orderby),
                                         embedded::Filter::parse(*query.filter));
      });
    }
  });
  filter_by(world, text);
  refused_or_done([&] { embedded::parse_orderby(text); });
  refused_or_done([&] { embedded::parse_expand(text); });
  embedded::parse_form(text, true);
  embedded::decode_item_id(text);
  embedded::decode_folder_id(text);
  try {
    const embedded::Json json = embedded::parse_json(text);
    require(embedded::parse_json(json.dump()).dump() == json.dump(), "JSON survives");
    refused_or_done([&] {
      embedded::Message draft;
      embedded::fill_draft(draft, json, world.clock.second());
    });
    refused_or_done([&] {
      embedded::Message draft;
      embedded::patch_message(draft, json);
    });
    refused_or_done([&] { embedded::parse_attachment(json, world.clock.second()); });
    refused_or_done([&] {
      embedded::Message draft;
      embedded::apply_reply_body(draft, json, world.clock.second());
    });
  } catch (const embedded::JsonError&) {
  }
  return 0;
}
