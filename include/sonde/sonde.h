/*
 * libsonde: metrics and operations of a program, recorded in nanoseconds. All of it.
 */
#ifndef SONDE_SONDE_H
#define SONDE_SONDE_H

#include "sonde/cache.h"
#include "sonde/command.h"
#include "sonde/counter.h"
#include "sonde/encoder.h"
#include "sonde/expose.h"
#include "sonde/gauge.h"
#include "sonde/histogram.h"
#include "sonde/http.h"
#include "sonde/log.h"
#include "sonde/memory.h"
#include "sonde/native.h"
#include "sonde/path.h"
#include "sonde/perf.h"
#include "sonde/push.h"
#include "sonde/registry.h"
#include "sonde/service.h"
#include "sonde/shared.h"
#include "sonde/standard.h"
#include "sonde/status.h"

#endif
