#include "m365/world/directory.h"

#include <mutex>
#include <stdexcept>

#include "m365/mime/text.h"

namespace embedded {
namespace {

std::string key(std::string_view tenant, std::string_view name) {
  return lower(tenant) + "|" + lower(name);
}

}  // namespace

bool User::named_in(const std::set<std::string>& names) const {
  if (names.count(id) != 0 || names.count(lower(upn)) != 0) return true;
  for (const auto& address : addresses) {
    if (names.count(address) != 0) return true;
  }
  return false;
}

void Directory::add_tenant(Tenant tenant) {
  const std::unique_lock lock(mutex_);
  tenant.id = lower(tenant.id);
  if (tenants_.count(tenant.id) != 0) throw std::runtime_error("tenant " + tenant.id + " is there twice");
  for (auto& domain : tenant.domains) {
    domain = lower(domain);
    if (!domains_.emplace(domain, tenant.id).second) throw std::runtime_error("domain " + domain + " is there twice");
  }
  tenants_.emplace(tenant.id, std::move(tenant));
}

void Directory::put_app(const std::string& tenant, App app) {
  const std::unique_lock lock(mutex_);
  if (tenants_.count(lower(tenant)) == 0) throw std::runtime_error("there is no tenant " + tenant);
  app.client_id = lower(app.client_id);
  const std::string where = key(tenant, app.client_id);
  apps_[where] = std::make_shared<const App>(std::move(app));
}

void Directory::put_user(User user) {
  const std::unique_lock lock(mutex_);
  if (tenants_.count(user.tenant) == 0) throw std::runtime_error("there is no tenant " + user.tenant);
  user.id = lower(user.id);
  for (auto& address : user.addresses) address = lower(address);
  for (const auto& address : user.addresses) {
    const auto other = recipient_locked(address);
    if (other && other->id != user.id) throw std::runtime_error("address " + address + " belongs to two mailboxes");
  }
  if (const auto other = recipient_locked(lower(user.upn)); other && other->id != user.id) {
    throw std::runtime_error("user " + user.upn + " is there twice");
  }
  if (const auto old = users_.find(key(user.tenant, user.id)); old != users_.end()) {
    const UserPtr keep = old->second;
    forget_user(*keep);
  }
  index_user(std::make_shared<const User>(std::move(user)));
}

void Directory::index_user(const UserPtr& user) {
  users_[key(user->tenant, user->id)] = user;
  users_[key(user->tenant, user->upn)] = user;
  by_address_[lower(user->upn)] = user;
  for (const auto& address : user->addresses) {
    by_address_[address] = user;
    if (user->found_by_address) users_[key(user->tenant, address)] = user;
  }
}

void Directory::forget_user(const User& user) {
  users_.erase(key(user.tenant, user.id));
  users_.erase(key(user.tenant, user.upn));
  by_address_.erase(lower(user.upn));
  for (const auto& address : user.addresses) {
    by_address_.erase(address);
    users_.erase(key(user.tenant, address));
  }
}

std::optional<Tenant> Directory::tenant(std::string_view guid_or_domain) const {
  const std::shared_lock lock(mutex_);
  std::string id = lower(guid_or_domain);
  if (const auto domain = domains_.find(id); domain != domains_.end()) id = domain->second;
  const auto found = tenants_.find(id);
  return found == tenants_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Tenant> Directory::tenants() const {
  const std::shared_lock lock(mutex_);
  std::vector<Tenant> all;
  for (const auto& entry : tenants_) all.push_back(entry.second);
  return all;
}

Directory::AppPtr Directory::app(std::string_view tenant, std::string_view client_id) const {
  const std::shared_lock lock(mutex_);
  const auto found = apps_.find(key(tenant, client_id));
  return found == apps_.end() ? nullptr : found->second;
}

std::vector<std::pair<std::string, Directory::AppPtr>> Directory::apps() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::pair<std::string, AppPtr>> all;
  for (const auto& entry : apps_) all.emplace_back(entry.first.substr(0, entry.first.find('|')), entry.second);
  return all;
}

Directory::UserPtr Directory::user(std::string_view tenant, std::string_view id_or_upn) const {
  const std::shared_lock lock(mutex_);
  const auto found = users_.find(key(tenant, id_or_upn));
  return found == users_.end() ? nullptr : found->second;
}

Directory::UserPtr Directory::recipient_locked(const std::string& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

Directory::UserPtr Directory::recipient(std::string_view address) const {
  const std::shared_lock lock(mutex_);
  return recipient_locked(lower(address));
}

std::vector<Directory::UserPtr> Directory::users() const {
  const std::shared_lock lock(mutex_);
  std::vector<UserPtr> all;
  for (const auto& entry : users_) {
    if (entry.first == key(entry.second->tenant, entry.second->id)) all.push_back(entry.second);
  }
  return all;
}

bool Directory::hosts(std::string_view domain) const {
  const std::shared_lock lock(mutex_);
  return domains_.count(lower(domain)) != 0;
}

bool Directory::change_app(std::string_view client_id, const std::function<void(App&)>& change) {
  const std::unique_lock lock(mutex_);
  bool found = false;
  for (auto& entry : apps_) {
    if (!equal_ignoring_case(entry.second->client_id, client_id)) continue;
    App copy = *entry.second;
    change(copy);
    entry.second = std::make_shared<const App>(std::move(copy));
    found = true;
  }
  return found;
}

bool Directory::remove_app(std::string_view client_id) {
  const std::unique_lock lock(mutex_);
  for (auto entry = apps_.begin(); entry != apps_.end(); ++entry) {
    if (equal_ignoring_case(entry->second->client_id, client_id)) {
      apps_.erase(entry);
      return true;
    }
  }
  return false;
}

bool Directory::change_user(std::string_view any_name, const std::function<void(User&)>& change) {
  UserPtr old;
  {
    const std::shared_lock lock(mutex_);
    old = recipient_locked(lower(any_name));
    for (const auto& entry : users_) {
      if (!old && entry.second->id == lower(any_name)) old = entry.second;
    }
  }
  if (!old) return false;
  User copy = *old;
  change(copy);
  put_user(std::move(copy));
  return true;
}

bool Directory::remove_user(std::string_view any_name) {
  const std::unique_lock lock(mutex_);
  UserPtr old = recipient_locked(lower(any_name));
  if (!old) return false;
  forget_user(*old);
  return true;
}

}  // namespace embedded
