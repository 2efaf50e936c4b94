#include <array>

#include "m365/sign_in/entra_errors.h"

namespace m365 {
namespace {

using mail::Cause;

constexpr std::string_view assertion =
    "Microsoft Entra refuses the way the app proves itself. Use a client secret: create one under Certificates & "
    "secrets "
    "and enter its Value.";
constexpr std::string_view app_unknown =
    "The app is not known in this tenant. Compare the Client ID with the Application (client) ID of the app's Overview "
    "page "
    "(not its object ID), and the tenant with the one where the app is registered or consented to.";
constexpr std::string_view consent =
    "Consent is missing. In the app registration open API permissions, add the Microsoft Graph permissions "
    "Mail.ReadWrite "
    "(and Mail.Send for sending), and press Grant admin consent.";
constexpr std::string_view other_cloud =
    "Microsoft Graph is not known in this tenant under the scope that was asked for. Check that the login address and "
    "the "
    "Graph endpoint belong to the same cloud.";
constexpr std::string_view vendor =
    "Microsoft Entra calls the request malformed, which it should never be. Report the code to the plugin's vendor; a "
    "proxy "
    "that changes requests may also be the reason.";
constexpr std::string_view tenant_in_address =
    "The tenant is not named as Microsoft Entra wants it. Copy the Directory (tenant) ID from the Overview page of "
    "Microsoft "
    "Entra ID.";
constexpr std::string_view tenant_unknown =
    "The tenant is not found. Compare it with the Directory (tenant) ID on the Overview page of Microsoft Entra ID; a "
    "tenant "
    "of a national cloud needs that cloud's login address.";
constexpr std::string_view proxy_restricts =
    "Tenant restrictions of the company's proxy block this tenant. Have the tenant allowed there.";
constexpr std::string_view user_unknown =
    "The account is not a user of this tenant. Enter the user principal name of a work account; guests and personal "
    "accounts "
    "cannot be used.";
constexpr std::string_view mfa =
    "Multi-factor authentication is demanded, which no server can answer. Use OAuth Service, or exclude the account "
    "from the "
    "policy.";
constexpr std::string_view policy =
    "A Conditional Access, device or risk policy blocks the sign-in. Look at the sign-in log of Microsoft Entra ID, "
    "and "
    "exclude the account or app from the policy or allow this machine's location.";
constexpr std::string_view password_expired =
    "The account's password has expired. Set a new one, enter it here, and exempt the account from password expiry.";
constexpr std::string_view sign_in_again =
    "The stored sign-in is void, as after a changed password. The password is used once more.";
constexpr std::string_view agent_away =
    "The company's pass-through authentication agent or domain controller does not answer. Check the agent; it is "
    "tried "
    "again by itself.";
constexpr std::string_view agent_refuses =
    "The company's pass-through authentication agent refuses the sign-in. Check the agent's keys and clock, and the "
    "account's "
    "logon hours.";
constexpr std::string_view outage = "Microsoft Entra has a short outage. It is tried again by itself.";
constexpr std::string_view too_often =
    "Microsoft Entra asks for a pause because of too many sign-ins. It goes on by itself.";
constexpr std::string_view inner_fault =
    "Microsoft Entra failed inside. It is tried again by itself; if this stays, ask Microsoft's support with the trace "
    "ID.";

// Columns: code, cause, when to ask again, whether a new credential would help, advice.
constexpr std::array table = {
    // Application and credential
    EntraCode{7000215, Cause::secret_refused, Retry::probe, true,
              "The client secret is wrong. Enter what the Value column under Certificates & secrets shows (not the "
              "Secret ID), "
              "whole, and of this app; if it is not shown any more, create a new secret."},
    EntraCode{7000222, Cause::secret_expired, Retry::probe, true,
              "The client secret has expired. Create a new one under Certificates & secrets and enter its Value."},
    EntraCode{
        7000218, Cause::secret_refused, Retry::probe, true,
        "Microsoft Entra wants a client secret for this app. Enter the Secret, or, for OAuth User without one, turn on "
        "Allow public client flows under Authentication."},
    EntraCode{
        700025, Cause::secret_refused, Retry::probe, true,
        "The app is a public client, which must not send a secret. Remove the Secret, or register a web platform for "
        "the app."},
    EntraCode{70002, Cause::secret_refused, Retry::probe, true,
              "The client secret does not match. Enter the Value of a current secret of this app."},
    EntraCode{700027, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{700024, Cause::secret_refused, Retry::probe, false,
              "Microsoft Entra finds the time of the request wrong. Check this machine's clock."},
    EntraCode{700030, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{50012, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{50013, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{50027, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{50048, Cause::secret_refused, Retry::probe, true, assertion},
    EntraCode{700016, Cause::client_unknown, Retry::probe, false, app_unknown},
    EntraCode{700011, Cause::client_unknown, Retry::probe, false, app_unknown},
    EntraCode{70001, Cause::client_unknown, Retry::probe, false, app_unknown},
    EntraCode{7000112, Cause::client_unknown, Retry::probe, false,
              "The enterprise application is disabled. Set Enabled for users to sign in to Yes under Enterprise "
              "applications > "
              "Properties."},
    EntraCode{
        50105, Cause::sign_in_blocked, Retry::probe, false,
        "The enterprise application demands assignment and this account is not assigned. Assign it under Users and "
        "groups, or turn Assignment required off."},
    EntraCode{65001, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{90094, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{90008, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{650056, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{650057, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{65005, Cause::consent_missing, Retry::probe, false, consent},
    EntraCode{500011, Cause::tenant_unknown, Retry::probe, false, other_cloud},
    EntraCode{50001, Cause::tenant_unknown, Retry::probe, false, other_cloud},
    EntraCode{1002012, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{70011, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{28002, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{700022, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{50194, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    // Tenant and address
    EntraCode{90002, Cause::tenant_unknown, Retry::probe, false, tenant_unknown},
    EntraCode{900023, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    EntraCode{90019, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    EntraCode{50059, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    EntraCode{50128, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    EntraCode{
        50049, Cause::tenant_unknown, Retry::probe, false,
        "The login address is not one of Microsoft's. Enter https://login.microsoftonline.com or that of your national "
        "cloud."},
    EntraCode{90038, Cause::tenant_unknown, Retry::probe, false,
              "The tenant lives in a national cloud. Enter that cloud's login address."},
    EntraCode{9001023, Cause::tenant_unknown, Retry::probe, false, tenant_in_address},
    EntraCode{500021, Cause::proxy, Retry::probe, false, proxy_restricts},
    EntraCode{500022, Cause::proxy, Retry::probe, false, proxy_restricts},
    EntraCode{50002, Cause::proxy, Retry::probe, false, proxy_restricts},
    EntraCode{90014, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{900144, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{90013, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{9002313, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{90004, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{90100, Cause::service_fault, Retry::probe, false, vendor},
    EntraCode{70003, Cause::service_fault, Retry::probe, false, vendor},
    // User accounts
    EntraCode{
        50126, Cause::password_refused, Retry::never, true,
        "User name or password is wrong. Enter the present password; this one is not tried again, because wrong "
        "passwords lock the account. If they are right, the account may be a federated one (AD FS), which cannot sign "
        "in this way: use OAuth Service."},
    EntraCode{50034, Cause::password_refused, Retry::probe, false, user_unknown},
    EntraCode{51004, Cause::password_refused, Retry::probe, false, user_unknown},
    EntraCode{50020, Cause::password_refused, Retry::probe, false, user_unknown},
    EntraCode{50056, Cause::password_refused, Retry::probe, true,
              "The account has no password in Microsoft Entra. Set one, or use OAuth Service."},
    EntraCode{50057, Cause::sign_in_blocked, Retry::probe, false,
              "The account is disabled. The account behind a shared mailbox always is: use OAuth Service for it, or "
              "allow the "
              "account to sign in."},
    EntraCode{
        50053, Cause::sign_in_blocked, Retry::locked, false,
        "The account is locked after wrong passwords, or this machine's address has a bad reputation. Look at the "
        "sign-in log of Microsoft Entra ID; it is tried again after 10 minutes or more."},
    EntraCode{50055, Cause::password_refused, Retry::probe, true, password_expired},
    EntraCode{50144, Cause::password_refused, Retry::probe, true, password_expired},
    EntraCode{50135, Cause::password_refused, Retry::probe, true,
              "The password has to be changed because the account is at risk. Set a new one and enter it here."},
    EntraCode{50072, Cause::sign_in_blocked, Retry::probe, false, mfa},
    EntraCode{50079, Cause::sign_in_blocked, Retry::probe, false, mfa},
    EntraCode{50074, Cause::sign_in_blocked, Retry::probe, false, mfa},
    EntraCode{50076, Cause::sign_in_blocked, Retry::probe, false, mfa},
    EntraCode{50078, Cause::sign_in_blocked, Retry::probe, false, mfa},
    EntraCode{50158, Cause::sign_in_blocked, Retry::probe, false,
              "An external challenge is demanded (another vendor's multi-factor authentication, terms of use), which "
              "no server "
              "can answer. Use OAuth Service, or exclude the account from the policy."},
    EntraCode{50131, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53000, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53001, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53002, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53003, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53004, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{53011, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{530032, Cause::sign_in_blocked, Retry::probe, false, policy},
    EntraCode{
        530035, Cause::sign_in_blocked, Retry::probe, false,
        "The tenant's security defaults block the sign-in. Use OAuth Service, or replace the security defaults by "
        "Conditional Access policies that leave the account out."},
    EntraCode{50173, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{50132, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{50133, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{700082, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{70008, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{70043, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{70000, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{50089, Cause::password_refused, Retry::sign_in_again, true, sign_in_again},
    EntraCode{90072, Cause::sign_in_blocked, Retry::probe, false, user_unknown},
    EntraCode{80001, Cause::service_fault, Retry::slow, false, agent_away},
    EntraCode{80002, Cause::service_fault, Retry::slow, false, agent_away},
    EntraCode{80005, Cause::service_fault, Retry::slow, false, agent_away},
    EntraCode{80007, Cause::service_fault, Retry::slow, false, agent_away},
    EntraCode{80014, Cause::service_fault, Retry::slow, false, agent_away},
    EntraCode{80010, Cause::sign_in_blocked, Retry::probe, false, agent_refuses},
    EntraCode{80012, Cause::sign_in_blocked, Retry::probe, false, agent_refuses},
    EntraCode{80013, Cause::sign_in_blocked, Retry::probe, false, agent_refuses},
    // Service side
    EntraCode{50033, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90006, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90012, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90024, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90033, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90090, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90091, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{50087, Cause::service_fault, Retry::soon, false, outage},
    EntraCode{90055, Cause::throttled, Retry::slow, false, too_often},
    EntraCode{50196, Cause::throttled, Retry::slow, false, too_often},
    EntraCode{90036, Cause::service_fault, Retry::slow, false, inner_fault},
    EntraCode{90092, Cause::service_fault, Retry::slow, false, inner_fault},
    EntraCode{50000, Cause::service_fault, Retry::slow, false, inner_fault},
    EntraCode{
        1002016, Cause::tls, Retry::probe, false,
        "Microsoft Entra refuses the version or cipher of TLS. Check the proxy in between: TLS 1.2 is the least."},
};

}  // namespace

const EntraCode* find_entra_code(int code) {
  for (const EntraCode& known : table) {
    if (known.code == code) return &known;
  }
  return nullptr;
}

}  // namespace m365
