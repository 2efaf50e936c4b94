#include "m365/graph/graph_error_codes.h"

#include <array>

#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using mail::Cause;
using mail::Remedy;

constexpr std::string_view token_refused =
    "Microsoft Graph refuses the access token, also a fresh one. Check that the Graph endpoint belongs to the cloud of "
    "the login address, and that this machine's clock is right.";
constexpr std::string_view no_permission =
    "The access token holds no permission. Grant the app its Microsoft Graph application permissions (Mail.ReadWrite, "
    "and "
    "Mail.Send for sending) with admin consent, or assign it roles in Exchange (RBAC for Applications).";
constexpr std::string_view not_a_mailbox =
    "No mailbox is found under this name. Check the address (a distribution list or a contact is not a mailbox), or "
    "enter "
    "the user's object ID or user principal name as E-Mail Account.";
constexpr std::string_view no_online_mailbox =
    "There is no Exchange Online mailbox for this user: it has no licence, was deleted, lives on-premises, or is newer "
    "than "
    "about 15 minutes. Check it in the Microsoft 365 admin center.";
constexpr std::string_view folder_gone =
    "The folder does not exist any more, or not under this name. Check the folder setting.";
constexpr std::string_view short_outage = "Microsoft 365 reports a short outage. It is tried again by itself.";
constexpr std::string_view throttled =
    "Microsoft 365 asks for a pause because of too many requests. It goes on by itself.";
constexpr std::string_view sync_lost =
    "The service lost its place in the folder. The folder is read anew; nothing is "
    "handed over twice.";
constexpr std::string_view bad_request =
    "Microsoft Graph calls the request malformed, which it should never be. Report the "
    "code and request-id to the plugin's vendor.";
constexpr std::string_view item_damaged = "This item cannot be read from the mailbox: it is damaged.";
constexpr std::string_view mailbox_full =
    "The mailbox is full. Delete or archive mail, or give it more room (a licence raises 50 GB to 100 GB).";
constexpr std::string_view bad_recipients = "Microsoft 365 refuses a recipient's address, or there is no recipient.";
constexpr std::string_view too_large =
    "The message is larger than the mailbox may send or receive. Raise the limit with "
    "Set-Mailbox -MaxSendSize, or send less.";

// Columns: code, action, cause, what heals it, advice. Actions of the sheet: R repeat, P permanent, C configuration,
// A fresh_token, S restart_sync, D done.
constexpr std::array table = {
    // The token
    GraphCode{"InvalidAuthenticationToken", Action::fresh_token, Cause::sign_in_blocked, Remedy::administrator,
              token_refused},
    GraphCode{"TokenExpired", Action::fresh_token, Cause::sign_in_blocked, Remedy::administrator, token_refused},
    GraphCode{"TokenCreatedWithOutdatedPolicies", Action::fresh_token, Cause::sign_in_blocked, Remedy::administrator,
              "The access token was withdrawn by a policy of the tenant. If this stays, look at the sign-in log of "
              "Microsoft Entra ID."},
    GraphCode{"TokenIssuedBeforeRevocationTimestamp", Action::fresh_token, Cause::sign_in_blocked,
              Remedy::administrator,
              "The access token was withdrawn. If this stays, look at the sign-in log of Microsoft Entra ID."},
    GraphCode{"InvalidAudience", Action::configuration, Cause::sign_in_blocked, Remedy::administrator, token_refused},
    GraphCode{"TokenNotYetValid", Action::configuration, Cause::sign_in_blocked, Remedy::administrator, token_refused},
    GraphCode{"NoPermissionsInAccessToken", Action::configuration, Cause::consent_missing, Remedy::administrator,
              no_permission},
    // Permissions; the advice of these is composed in graph_errors.cpp
    GraphCode{"Authorization_RequestDenied", Action::configuration, Cause::consent_missing, Remedy::administrator, ""},
    GraphCode{"ErrorAccessDenied", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator, ""},
    GraphCode{"AccessDenied", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator, ""},
    GraphCode{"Forbidden", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator, ""},
    GraphCode{
        "ErrorSendAsDenied", Action::configuration, Cause::sender_forbidden, Remedy::administrator,
        "The mailbox may not send with this From address. Send from the mailbox's own address, or grant Send As in "
        "the Exchange admin center."},
    GraphCode{
        "ErrorMessageSubmissionBlocked", Action::configuration, Cause::sender_forbidden, Remedy::administrator,
        "Microsoft 365 has blocked the mailbox from sending, as after spam. Unblock it under Restricted entities in "
        "the Microsoft Defender portal."},
    GraphCode{
        "ErrorAccountSuspend", Action::configuration, Cause::sender_forbidden, Remedy::administrator,
        "Microsoft 365 has suspended the mailbox for sending, as after spam. Unblock it under Restricted entities in "
        "the Microsoft Defender portal."},
    GraphCode{
        "ErrorAccountDisabled", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator,
        "Exchange refuses the mailbox because its account is disabled. Look at the account in the Microsoft 365 admin "
        "center."},
    GraphCode{
        "ErrorApiQuarantined", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator,
        "Exchange holds the mailbox in quarantine because too many of its requests failed. It ends by itself after "
        "hours; if it does not, ask Microsoft's support."},
    // The mailbox
    GraphCode{"ErrorInvalidUser", Action::configuration, Cause::mailbox_unknown, Remedy::administrator, not_a_mailbox},
    GraphCode{"Request_ResourceNotFound", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              not_a_mailbox},
    GraphCode{"ResourceNotFound", Action::configuration, Cause::mailbox_unknown, Remedy::administrator, not_a_mailbox},
    GraphCode{"MailboxNotEnabledForRESTAPI", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              no_online_mailbox},
    GraphCode{"MailboxNotHostedInExchangeOnline", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              no_online_mailbox},
    GraphCode{"MailboxNotSupportedForRESTAPI", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              no_online_mailbox},
    GraphCode{"RESTAPINotEnabledForUser", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              no_online_mailbox},
    GraphCode{"ErrorNonExistentMailbox", Action::configuration, Cause::mailbox_unknown, Remedy::administrator,
              no_online_mailbox},
    GraphCode{
        "MailboxInfoStale", Action::repeat, Cause::service_fault, Remedy::wait,
        "The mailbox is being moved. It is tried again by itself; if this stays, enter the user's object ID as E-Mail "
        "Account."},
    GraphCode{"ErrorQuotaExceeded", Action::configuration, Cause::mailbox_full, Remedy::administrator, mailbox_full},
    GraphCode{"QuotaExceededException", Action::configuration, Cause::mailbox_full, Remedy::administrator,
              mailbox_full},
    // Folders and items
    GraphCode{"ErrorFolderNotFound", Action::configuration, Cause::folder_missing, Remedy::administrator, folder_gone},
    GraphCode{"ErrorToFolderNotFound", Action::configuration, Cause::folder_missing, Remedy::administrator,
              folder_gone},
    GraphCode{"ErrorParentFolderNotFound", Action::configuration, Cause::folder_missing, Remedy::administrator,
              folder_gone},
    GraphCode{"ErrorFolderExists", Action::done, Cause::none, Remedy::item, "A folder of this name exists already."},
    GraphCode{"ErrorCannotDeleteObject", Action::done, Cause::none, Remedy::item, "The item was deleted already."},
    GraphCode{"ErrorItemNotFound", Action::permanent, Cause::none, Remedy::item,
              "The item is not there any more: it was moved to another mailbox, or deleted."},
    GraphCode{"ErrorInvalidIdMalformed", Action::permanent, Cause::none, Remedy::item, bad_request},
    GraphCode{"ErrorItemCorrupt", Action::permanent, Cause::service_fault, Remedy::item, item_damaged},
    GraphCode{"ErrorCorruptData", Action::permanent, Cause::service_fault, Remedy::item, item_damaged},
    GraphCode{"ErrorContentConversionFailed", Action::permanent, Cause::service_fault, Remedy::item, item_damaged},
    GraphCode{"ErrorVirusDetected", Action::permanent, Cause::service_fault, Remedy::item,
              "Microsoft 365 blocks the content as malware."},
    GraphCode{"ErrorIrresolvableConflict", Action::repeat, Cause::service_fault, Remedy::wait,
              "Somebody else changed the item at the same time. It is tried again by itself."},
    // Delta state
    GraphCode{"SyncStateNotFound", Action::restart_sync, Cause::none, Remedy::wait, sync_lost},
    GraphCode{"SyncStateInvalid", Action::restart_sync, Cause::none, Remedy::wait, sync_lost},
    GraphCode{"ResyncRequired", Action::restart_sync, Cause::none, Remedy::wait, sync_lost},
    GraphCode{"InvalidSyncStateData", Action::restart_sync, Cause::none, Remedy::wait, sync_lost},
    GraphCode{"ErrorInvalidSyncStateData", Action::restart_sync, Cause::none, Remedy::wait, sync_lost},
    GraphCode{"ErrorExecuteSearchStaleData", Action::repeat, Cause::service_fault, Remedy::wait,
              "The pages of a search no longer fit together. The search is started over by itself."},
    // What we asked for
    GraphCode{"InefficientFilter", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"ErrorInvalidUrlQuery", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"BadRequest", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"RequestBroker--ParseUri", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"ErrorMessageSizeExceeded", Action::permanent, Cause::service_fault, Remedy::item, too_large},
    GraphCode{"ErrorAttachmentSizeShouldNotBeLessThanMinimumSize", Action::permanent, Cause::service_fault,
              Remedy::item, "The attachment is too small for an upload session."},
    GraphCode{"ErrorMimeContentInvalidBase64String", Action::permanent, Cause::service_fault, Remedy::item,
              bad_request},
    GraphCode{"ErrorMimeContentInvalid", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"InvalidInternetMessageHeader", Action::permanent, Cause::service_fault, Remedy::item, bad_request},
    GraphCode{"InvalidInternetMessageHeaderCollection", Action::permanent, Cause::service_fault, Remedy::item,
              bad_request},
    GraphCode{"ErrorInvalidRecipients", Action::permanent, Cause::service_fault, Remedy::item, bad_recipients},
    GraphCode{"ErrorMissingRecipients", Action::permanent, Cause::service_fault, Remedy::item, bad_recipients},
    GraphCode{"ErrorExceededMaxRecipientLimit", Action::permanent, Cause::service_fault, Remedy::item,
              "The message has more recipients than the mailbox may address at once. Raise the limit with Set-Mailbox "
              "-RecipientLimits, or send it in parts."},
    // Limits
    GraphCode{
        "ErrorExceededMessageLimit", Action::configuration, Cause::send_limit, Remedy::wait,
        "The mailbox has reached its daily limit of messages or recipients. Sending from it pauses for hours; send "
        "less, or from several mailboxes."},
    GraphCode{"ErrorExceededHourlyMessageLimit", Action::repeat, Cause::send_limit, Remedy::wait,
              "The mailbox has reached its hourly limit of messages. Sending from it pauses and goes on by itself."},
    GraphCode{"ErrorSubmissionQuotaExceeded", Action::repeat, Cause::send_limit, Remedy::wait,
              "The mailbox has reached its limit of submissions. Sending from it pauses and goes on by itself."},
    GraphCode{"ApplicationThrottled", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"TooManyRequests", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"ActivityLimitReached", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"CommandConcurrencyLimitReached", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"ErrorServerBusy", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"ErrorExceededConnectionCount", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    GraphCode{"ErrorTooManyObjectsOpened", Action::repeat, Cause::throttled, Remedy::wait, throttled},
    // Outages
    GraphCode{"ErrorMailboxStoreUnavailable", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorMailboxMoveInProgress", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorMailboxFailover", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorADUnavailable", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorInternalServerTransientError", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorInsufficientResources", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorTimeoutExpired", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorConnectionFailed", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"UnknownError", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"GeneralException", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ServiceUnavailable", Action::repeat, Cause::service_fault, Remedy::wait, short_outage},
    GraphCode{"ErrorInternalServerError", Action::repeat, Cause::service_fault, Remedy::wait,
              "Microsoft 365 failed inside: a short outage, or one damaged item. It is tried again by itself."},
};

}  // namespace

const GraphCode* find_graph_code(std::string_view code) {
  for (const GraphCode& known : table) {
    if (same_text(known.code, code)) return &known;
  }
  return nullptr;
}

GraphCode code_for_status(int status) {
  switch (status) {
    case 401:
      return {"", Action::fresh_token, Cause::sign_in_blocked, Remedy::administrator, token_refused};
    case 403:
      return {"", Action::configuration, Cause::mailbox_forbidden, Remedy::administrator, ""};
    case 409:
    case 412:
      return {"", Action::repeat, Cause::service_fault, Remedy::wait,
              "Somebody else changed the item at the same time. It is tried again by itself."};
    case 410:
      return {"", Action::restart_sync, Cause::none, Remedy::wait, sync_lost};
    case 413:
      return {"", Action::permanent, Cause::service_fault, Remedy::item,
              "The request is larger than Microsoft Graph takes."};
    case 408:
    case 423:
      return {"", Action::repeat, Cause::service_fault, Remedy::wait, short_outage};
    case 424:  // of a throttled request inside a batch, says an older page (section 20)
    case 429:
    case 509:
      return {"", Action::repeat, Cause::throttled, Remedy::wait, throttled};
    case 507:
      return {"", Action::configuration, Cause::mailbox_full, Remedy::administrator, mailbox_full};
    default:
      break;
  }
  if (status >= 500) return {"", Action::repeat, Cause::service_fault, Remedy::wait, short_outage};
  if (status >= 400) return {"", Action::permanent, Cause::service_fault, Remedy::item, bad_request};
  // A success that should not be one, a redirect, or no status at all: not what Graph says, so something stands
  // between.
  return {"", Action::repeat, Cause::service_fault, Remedy::wait,
          "The answer is not one of Microsoft Graph's. Check the Graph endpoint, and any proxy in between."};
}

}  // namespace m365
