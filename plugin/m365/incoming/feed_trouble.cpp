#include "m365/incoming/feed_trouble.h"

#include <algorithm>
#include <utility>

#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/opening.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Level;

constexpr std::chrono::minutes first_lists{1}, longest_lists{240};  // in place of a feed that forgets

}  // namespace

mail::FaultError broken_answer(const Stream& stream, const std::string& what) {
  mail::Fault fault;
  fault.cause = Cause::service_fault;
  fault.text = stream.address() + ": Microsoft 365 answered " + what + ". It is asked again by itself.";
  return mail::FaultError(std::move(fault));
}

void read_by_lists(Stream& stream, std::chrono::milliseconds time, bool whole) {
  stream.lists_instead = true;
  stream.delta_again = stream.core.now() + time;
  if (!whole) return;
  stream.whole_wanted = true;
  stream.walk_due = stream.core.now();
}

void feed_not_offered(Stream& stream, const std::string& why) {
  stream.note(Level::warning, "the change feed is not offered here (" + why +
                                  "); the folder is read by lists, and the feed is tried again in an hour");
  const bool first = !std::exchange(stream.listed_whole, true);
  read_by_lists(stream, 1h, first);
}

void lost_state(Stream& stream, const GraphError& error) {
  restart_series(stream, error.fault().code);
  if (++stream.series_lost < 2) return;
  const std::chrono::milliseconds time =
      doubled(first_lists, static_cast<int>(std::min(stream.series_lost, 20u)) - 2, longest_lists);
  read_by_lists(stream, time);
  mail::Fault fault = error.fault();
  fault.cause = Cause::service_fault;
  fault.remedy = mail::Remedy::wait;
  fault.text = stream.address() + ": Microsoft 365 has forgotten " + std::to_string(stream.series_lost) +
               " times in a row how far the folder had been read. Mail is fetched by lists meanwhile, none is lost or "
               "handed over twice; the change feed is tried again in " +
               std::to_string(std::chrono::ceil<std::chrono::minutes>(time).count()) +
               " minutes. If this stays, give the request-id to Microsoft's support.";
  stream.note(Level::warning, fault.text + (fault.request_id.empty() ? "" : " request-id " + fault.request_id));
  stream.health.degraded(Aspect::feed, fault, time, stream.core.wall());
}

void page_too_large(Stream& stream, unsigned page_size, const mail::FaultError& error) {
  stream.good_pages = 0;
  if (page_size > 1) {
    stream.page_size = page_size / 2;
    stream.note(Level::info, "a page of the folder is too large; asking again in smaller pages");
    return;
  }
  mail::Fault fault = error.fault();
  fault.remedy = mail::Remedy::wait;
  fault.text = stream.address() + ": a mail of the folder is too large to be read with the changes (" + fault.text +
               "). The folder is read by lists meanwhile; the changes are tried again in an hour.";
  stream.note(Level::warning, fault.text);
  stream.health.degraded(Aspect::feed, fault, 1h, stream.core.wall());
  read_by_lists(stream, 1h);
}

std::chrono::milliseconds pause_after(unsigned barren_pages) {
  constexpr std::chrono::milliseconds longest = 60s;
  const unsigned times = barren_pages / many_barren_pages;
  return times == 0 ? 0ms : doubled(1s, static_cast<int>(std::min(times, 20u)) - 1, longest);
}

void tell_endless(Stream& stream, const std::string& what) {
  mail::Fault fault;
  fault.cause = Cause::service_fault;
  fault.text = stream.address() + ": Microsoft 365 has sent " + std::to_string(many_barren_pages) + " pages of " +
               what +
               " without any news and without an end. It is read on, ever more slowly; if the folder is not as large "
               "as that, give this to Microsoft's support.";
  stream.note(Level::warning, fault.text);
  stream.health.degraded(Aspect::feed, fault, {}, stream.core.wall());
}

void feed_works(Stream& stream) {
  if (stream.series_lost == 0) stream.health.clear(Aspect::feed, stream.core.wall());
}

}  // namespace m365
