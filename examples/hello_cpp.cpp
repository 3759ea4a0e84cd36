// libsonde from C++17: the headers are C, a few lines make them feel at home. A tracker ends with
// its scope, as "aborted" when an exception leaves it; label values may be any std::string.
//
//     c++ -std=c++17 hello_cpp.cpp $(pkg-config --cflags --libs sonde) -o hello_cpp

#include <sonde/sonde.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct FreeText {
    void operator()(char *text) const {
        sonde_free(text);
    }
};
using Text = std::unique_ptr<char, FreeText>;

// One run of an operation.
class Track {
  public:
    explicit Track(sonde_operation *operation) : tracker_(sonde_track_begin(operation)) {
    }
    ~Track() {
        sonde_track_abort(&tracker_);
    }
    Track(const Track &) = delete;
    Track &operator=(const Track &) = delete;
    void complete() {
        sonde_track_complete(&tracker_);
    }

  private:
    sonde_tracker tracker_;
};

// A counter with one label.
class Counter {
  public:
    Counter(const char *name, const char *help, const char *label) {
        sonde_metric metric{};
        metric.name = name;
        metric.help = help;
        metric.label_names = &label;
        metric.label_count = 1;
        family_ = sonde_counter_family_new(nullptr, &metric, nullptr);
    }
    void inc(const std::string &value) {
        const char *values[] = {value.c_str()};
        sonde_counter_inc(sonde_counter_family_get(family_, values, 1));
    }

  private:
    sonde_counter_family *family_;
};

void greet(Counter &greetings, sonde_operation *operation, const std::string &name) {
    Track track(operation);
    if (name.empty())
        throw std::invalid_argument("nobody to greet");
    greetings.inc(name);
    track.complete();
}

Text page() {
    char *text = nullptr;
    return sonde_registry_write_text(nullptr, SONDE_FORMAT_TEXT, &text, nullptr) == SONDE_OK
               ? Text(text)
               : Text();
}

} // namespace

int main() {
    Counter greetings("hello_greetings_total", "Greetings said.", "name");
    sonde_operation *operation = sonde_operation_get(sonde_service_get(nullptr, "hello"), "greet");
    for (const std::string name : {"Ada", "Grace", "", "Ada"}) {
        try {
            greet(greetings, operation, name);
        } catch (const std::invalid_argument &error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
    }
    Text text = page();
    if (!text)
        return 1;
    std::fputs(text.get(), stdout);
    const std::string shown(text.get());
    bool is_right = shown.find("hello_greetings_total{name=\"Ada\"} 2\n") != std::string::npos &&
                    shown.find("service=\"hello\",operation=\"greet\",outcome=\"aborted\"} 1\n") !=
                        std::string::npos;
    return is_right ? 0 : 1;
}
