// All of the simulated world: one object that every room of the stand-in works on.
#ifndef HOST_SIM_M365_WORLD_H_
#define HOST_SIM_M365_WORLD_H_

#include <atomic>
#include <cstddef>
#include <string>

#include "m365/entra/entra.h"
#include "m365/graph/faults.h"
#include "m365/graph/throttle.h"
#include "m365/graph/uploads.h"
#include "m365/server/clock.h"
#include "m365/server/scheduler.h"
#include "m365/server/stop_signal.h"
#include "m365/server/transport.h"
#include "m365/world/directory.h"

namespace embedded {

// Where the documents leave two readings or the service has been seen to err, a switch chooses.
struct Behaviour {
  // graph-mail.md sections 7 and 20: the immutable id of a draft finds the sent message, or does not.
  std::atomic<bool> immutable_id_changes_on_send{false};
  // Section 12: isReadReceiptRequested=false in the PATCH that marks read keeps the receipt from being sent, or does
  // not.
  std::atomic<bool> patch_suppresses_receipt{true};
  // Section 6, "Trap": with immutable ids an item moved out and back between two rounds is reported removed only.
  std::atomic<bool> delta_forgets_returned{false};
  // Section 10.4: transport gives a Message-ID of its own to a draft that has one.
  std::atomic<bool> new_message_id_on_send{false};
  // Section 10.2: how long a mail stands in the Outbox before it is in Sent Items and delivered.
  std::atomic<int> transport_delay_ms{0};
  // Section 2: bodies above it are answered 413; the figure is the measured one (section 11).
  std::atomic<std::size_t> body_limit{4U << 20};
  // How long what was stored just now is not found by $filter.
  std::atomic<int> search_lag_ms{0};
};

struct World {
  World() : entra(clock, directory), throttle(clock), transport(*this), uploads(*this), scheduler(clock) {}

  Clock clock;
  StopSignal stop;
  Behaviour behaviour;
  Directory directory;
  Entra entra;
  Throttle throttle;
  Census census;
  Faults faults;
  Transport transport;
  Uploads uploads;
  // Set before the first request.
  std::string origin, upload_origin, control_origin;
  Scheduler scheduler;  // last: what it runs uses all above
};

}  // namespace embedded

#endif  // HOST_SIM_M365_WORLD_H_
