// Codes on the native border, numbered as in src/model/session.ts; a test compares the two.
#pragma once

#include <array>
#include <cstdint>

namespace anyport::desk {

enum class Stage : uint8_t { kAccept, kAdmit, kSniff, kClassify, kRoute, kPick, kConnect, kRelay };
inline constexpr std::array kStageNames = {"accept", "admit", "sniff",   "classify",
                                           "route",  "pick",  "connect", "relay"};

enum class Ender : uint8_t { kClient, kUpstream, kTimeout, kProxy, kAdmin };
inline constexpr std::array kEnderNames = {"client", "upstream", "timeout", "proxy", "admin"};

enum class Reason : uint8_t {
  kDone,
  kReset,
  kDenied,
  kRateLimited,
  kBanned,
  kOverLimit,
  kIdentifyTimeout,
  kUnknownProtocol,
  kNoRoute,
  kRejected,
  kNoEndpoint,
  kConnectFailed,
  kConnectTimeout,
  kIdleTimeout,
  kHalfCloseTimeout,
  kDrainTimeout,
  kAdmin,
  kHandlerError,
  kClientGone,
  kUpstreamGone,
};
inline constexpr std::array kReasonNames = {"done",
                                            "reset",
                                            "denied",
                                            "rate_limited",
                                            "banned",
                                            "over_limit",
                                            "identify_timeout",
                                            "unknown_protocol",
                                            "no_route",
                                            "rejected",
                                            "no_endpoint",
                                            "connect_failed",
                                            "connect_timeout",
                                            "idle_timeout",
                                            "half_close_timeout",
                                            "drain_timeout",
                                            "admin",
                                            "handler_error",
                                            "client_gone",
                                            "upstream_gone"};

// Reasons of connections that are refused before a byte is read; a metric has a cell for each of them.
constexpr bool IsRefusal(Reason reason) { return reason >= Reason::kDenied && reason <= Reason::kOverLimit; }

// kLinger is how `refuse` closes; nothing else can ask for it.
enum class Closing : uint8_t { kClose, kReset, kDrop, kTarpit, kLinger };
inline constexpr std::array kClosingNames = {"close", "reset", "drop", "tarpit"};

// Causes of a `classified` event: the protocol is decided or undecidable, or the bytes wanted have arrived.
enum class Cause : uint8_t { kMatched, kUnknown, kFinished, kFull, kTimeout, kSilence, kMoreBytes, kQuiet };
inline constexpr std::array kCauseNames = {"matched", "unknown", "finished",   "full",
                                           "timeout", "silence", "more_bytes", "quiet"};

enum class EventKind : uint8_t {
  kClassified,
  kConnected,
  kUnreachable,
  kEnded,
  kProxied,
  kRefused,
  kArrived,
  kFull,
  kAnswered,
  kMoved,
  kFollowed,
  kTargeted
};
inline constexpr std::array kEventNames = {"classified", "connected", "unreachable", "ended",
                                           "proxied",    "refused",   "arrived",     "full",
                                           "answered",   "moved",     "followed",    "targeted"};

enum class AnswerKind : uint8_t {
  kDial,
  kWait,
  kEnd,
  kReject,
  kProceed,
  kGoOn,
  kReply,
  kQueue,
  kHold,
  kRefuse,
  kGiveUp
};
inline constexpr std::array kAnswerNames = {"dial",  "wait",  "end",  "reject", "proceed", "go_on",
                                            "reply", "queue", "hold", "refuse", "give_up"};

}  // namespace anyport::desk
