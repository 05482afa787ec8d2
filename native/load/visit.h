// Short connections: each asks one thing, gets its answer, and is closed by the server.
#pragma once

#include "load/slot.h"

namespace load {

struct Question {
  std::string asked;
  std::string answer;
};

class Visit : public Slot {
 public:
  // The slots of a site ask `questions` in turn. They outlive the slot.
  Visit(Site* site, const std::vector<Question>* questions) : Slot(site), questions_(*questions) {}

  void OnReady(uint32_t events) override {
    if (Connects()) Send(question_->asked);
    if ((events & EPOLLOUT) != 0) SendRest();
    if ((events & ~uint32_t{EPOLLOUT}) != 0) Take(Read());
  }

 protected:
  void Start() override {
    question_ = &questions_[site_.opened % questions_.size()];
    received_ = 0;
    Open();
  }

 private:
  void Take(std::string_view bytes) {
    if (bytes.data() == nullptr) return;
    if (question_->answer.compare(received_, bytes.size(), bytes) != 0) Wrong("other bytes came back");
    received_ += bytes.size();
    if (!bytes.empty()) return;
    if (received_ != question_->answer.size()) Wrong("an answer ended early");
    fd_.Close();
    Finish();
  }

  const std::vector<Question>& questions_;
  const Question* question_ = nullptr;
  size_t received_ = 0;
};

}  // namespace load
