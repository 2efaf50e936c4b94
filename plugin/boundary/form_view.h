#pragma once

#include <deque>
#include <string>
#include <vector>

#include "mail/settings.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// A form as the host sees it. Points into `form`, which must outlive it.
class FormView {
 public:
  explicit FormView(const std::vector<mail::Field>& form);
  FormView(const FormView&) = delete;
  FormView& operator=(const FormView&) = delete;
  const mailplugin_field* const* fields() const { return pointers_.data(); }
  std::uint32_t count() const { return static_cast<std::uint32_t>(pointers_.size()); }

 private:
  std::deque<mailplugin_field> fields_;
  std::deque<std::vector<mailplugin_pair>> choices_;
  std::vector<const mailplugin_field*> pointers_;
};

}  // namespace boundary
