/*
 * The shortest program with a metric: count something, show the page that a scraper would get.
 * Build it with: cc hello.c $(pkg-config --cflags --libs sonde)
 */
#include <sonde/sonde.h>

int main(void) {
    sonde_metric metric = {.name = "hello_greetings_total", .help = "Greetings said."};
    sonde_counter *greetings = sonde_counter_new(NULL, &metric, NULL);
    for (int i = 0; i < 3; i++)
        sonde_counter_inc(greetings);
    return sonde_registry_write_fd(NULL, SONDE_FORMAT_TEXT, 1) == SONDE_OK ? 0 : 1;
}
