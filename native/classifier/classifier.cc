#include "classifier/classifier.h"

#include <algorithm>
#include <utility>

namespace anyport::classifier {
namespace {

std::string CheckCounts(size_t count, size_t routable) {
  if (count > kProtocolsMax) {
    return "at most " + std::to_string(kProtocolsMax) + " protocols, got " + std::to_string(count);
  }
  if (routable > count) {
    return "routable: at most " + std::to_string(count) + ", got " + std::to_string(routable);
  }
  return "";
}

}  // namespace

std::shared_ptr<const Classifier> Classifier::Create(const Tables& tables, std::string* error) {
  Recognizers recognizers;
  *error = CheckCounts(tables.automata.size(), tables.routable);
  for (size_t i = 0; error->empty() && i < tables.automata.size(); ++i) {
    *error = CheckAutomaton(tables.automata[i]);
    if (!error->empty())
      *error = "automata[" + std::to_string(i) + "]." + *error;
    else
      recognizers.push_back(std::make_shared<const Recognizer>(tables.automata[i]));
  }
  return error->empty() ? Classifier().Splice(0, 0, recognizers, tables.routable, error) : nullptr;
}

std::shared_ptr<const Classifier> Classifier::Splice(size_t position, size_t removed,
                                                     const Recognizers& added, size_t routable,
                                                     std::string* error) const {
  if (position > size() || removed > size() - position) {
    *error = "splice: beyond the " + std::to_string(size()) + " protocols";
    return nullptr;
  }
  *error = CheckCounts(size() - removed + added.size(), routable);
  if (!error->empty()) return nullptr;
  std::shared_ptr<Classifier> next(new Classifier(*this));
  for (size_t i = 0; i < removed; ++i) next->Remove(position);
  for (size_t i = 0; i < added.size(); ++i) next->Insert(position + i, added[i]);
  next->routable_ = routable;
  return next;
}

void Classifier::Insert(size_t position, std::shared_ptr<const Recognizer> recognizer) {
  first_byte_.Insert(position, [&](uint8_t byte) { return recognizer->Survives(byte); });
  recognizers_.insert(recognizers_.begin() + static_cast<ptrdiff_t>(position), std::move(recognizer));
}

void Classifier::Remove(size_t position) {
  first_byte_.Remove(position);
  recognizers_.erase(recognizers_.begin() + static_cast<ptrdiff_t>(position));
}

Decision Classifier::Start(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const {
  walk->Reset();
  return Advance(walk, prefix, name_unrouted);
}

Decision Classifier::Advance(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const {
  return Run(walk, prefix, Limit(name_unrouted), false);
}

Decision Classifier::Finish(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const {
  return Run(walk, prefix, Limit(name_unrouted), true);
}

void Classifier::Reject(Walk* walk, uint32_t at) {
  walk->rejected_ = true;
  walk->settled_ = std::max({walk->settled_, walk->cursor_.settled, at});
}

Decision Classifier::Run(Walk* walk, std::span<const uint8_t> prefix, size_t limit, bool ended) const {
  const auto seen = static_cast<uint32_t>(prefix.size());
  if (limit == 0) return {Verdict::kUnknown, -1, 0};
  if (prefix.empty()) return {ended ? Verdict::kUnknown : Verdict::kMore, -1, 0};
  const ProtocolSet candidates = first_byte_.Of(prefix[0]);
  if (walk->candidate_ < 0 && !Enter(walk, candidates, 0, limit)) return {Verdict::kUnknown, -1, 1};
  do {
    if (walk->rejected_) continue;
    switch (recognizers_[walk->candidate_]->Step(prefix, ended, &walk->cursor_)) {
      case Outcome::kMore:
        if (!ended) return {Verdict::kMore, -1, seen};
        walk->settled_ = seen;  // ruled out by the end of input only
        break;
      case Outcome::kMatch:
        return {Verdict::kMatch, walk->candidate_, std::max(walk->settled_, walk->cursor_.settled)};
      case Outcome::kNo:
        walk->settled_ = std::max(walk->settled_, walk->cursor_.settled);
    }
  } while (Enter(walk, candidates, static_cast<size_t>(walk->candidate_) + 1, limit));
  return {Verdict::kUnknown, -1, walk->settled_};
}

bool Classifier::Enter(Walk* walk, ProtocolSet candidates, size_t position, size_t limit) const {
  const size_t next = candidates.Next(position);
  if (next >= limit) return false;
  walk->candidate_ = static_cast<int32_t>(next);
  walk->cursor_ = recognizers_[next]->Start();
  walk->rejected_ = false;
  return true;
}

}  // namespace anyport::classifier
