// translateExchangeIds: graph-mail.md section 7. It asks for User.Read.All, which a mail app does not have.
#include "m365/graph/call.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

bool is_form(const std::string& type) {
  return type == "entryId" || type == "ewsId" || type == "immutableEntryId" || type == "restId" ||
         type == "restImmutableEntryId";
}

HttpResponse translate(World& world, Call& call) {
  const char* permission = call.actor ? "User.ReadBasic.All" : "User.Read.All";
  if (call.token->permissions.count(permission) == 0) {
    throw GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.");
  }
  const Json body = call.json_body();
  const std::string target = body.text("targetIdType");
  const Json* ids = body.find("inputIds");
  if (ids == nullptr || !ids->is_array() || ids->array().size() > 1000 || !is_form(target) ||
      !is_form(body.text("sourceIdType"))) {
    throw GraphError(400, "ErrorInvalidArgument", "inputIds (at most 1000), sourceIdType and targetIdType are needed.");
  }
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Json value{Json::Array{}};
  for (const auto& id : ids->array()) {
    if (!id.is_string()) throw malformed_id();
    const Message& message = message_of(mailbox, id.string());
    const IdForm form =
        target == "restImmutableEntryId" || target == "immutableEntryId" ? IdForm::immutable : IdForm::ordinary;
    value.push(Json::Object{{"sourceId", id.string()}, {"targetId", mailbox.id_of(message, form)}});
  }
  return json_response(
      200, Json(Json::Object{
                    {"@odata.context", world.origin + "/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)"},
                    {"value", std::move(value)}})
               .dump());
}

}  // namespace

const std::vector<Route>& id_routes() {
  static const std::vector<Route> routes = {{"POST", "translateExchangeIds", "ids.translate", Need::none, translate}};
  return routes;
}

}  // namespace embedded
