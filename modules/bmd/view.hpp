/// @file view.hpp  Copies of records as the C shims show them.
/// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <string_view>

#include "bmd/policy.hpp"
#include "bmd_core.h"
#include "store.hpp"

namespace bmd {

/// Callers hold the registry lock and, where alerts or metrics are read, the device's stripe.
void show_device(Index device, bmd_device_view &view, const Shown &shown = {});
void show_metric(const DeviceRec &device, const MetricRec &metric, bmd_metric_view &view);
/// `person`: whose devices a storm counts; empty: all.  `shown`: what that person sees of the
/// alert.
void show_alert(const AlertRec &alert, bmd_alert_view &view, std::string_view person = {},
		const Shown &shown = {});
void show_window(const WindowRec &window, TimeUs now, bmd_window_view &view);
/// The window in force for a device, if any.
void show_window_of(Index device, bmd_window_view &view);

} // namespace bmd
