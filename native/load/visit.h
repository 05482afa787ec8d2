// Short connections: each asks one thing, gets its answer, and is closed by the server.
#pragma once

#include "load/stream.h"

namespace load {

struct Question {
  std::string asked;
  std::string answer;
};

class Visit : public Stream {
 public:
  // The slots of a site ask `questions` in turn. They outlive the slot.
  Visit(Site* site, const std::vector<Question>* questions) : Stream(site), questions_(*questions) {}

 protected:
  void Start() override {
    question_ = &questions_[site_.opened % questions_.size()];
    received_ = 0;
    Open();
    connection_.Send(question_->asked);
  }

  void OnBytes(std::string_view bytes) override {
    if (question_->answer.compare(received_, bytes.size(), bytes) != 0) Wrong("other bytes came back");
    received_ += bytes.size();
  }

  void OnEnd() override {
    if (received_ != question_->answer.size()) Wrong("an answer ended early");
    connection_.Close();
    Finish();
  }

 private:
  const std::vector<Question>& questions_;
  const Question* question_ = nullptr;
  size_t received_ = 0;
};

}  // namespace load
