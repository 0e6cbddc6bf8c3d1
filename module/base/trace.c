// SPDX-License-Identifier: GPL-2.0-only
/* The one place where the bodies of the trace events are made. */
#define CREATE_TRACE_POINTS
#include "base/trace.h"
