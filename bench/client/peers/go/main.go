// The workloads of bench/client/record_bench.c with client_golang. One line per figure.
package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

const (
	inputs = 65536
	ops    = 262144
	slices = 30
)

var (
	bounds   = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
	methods  = []string{"GET", "POST", "DELETE"}
	codes    = []string{"200", "201", "404", "500", "503"}
	seconds  [inputs]float64
	children [inputs]int
	paths    [50]string
)

// Nanoseconds of processor time of the whole process.
func cpu() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func measure(name string, work func(at, n int)) {
	for threads := 1; threads <= 2; threads++ {
		before := cpu()
		var done sync.WaitGroup
		best := make([]float64, threads)
		start := make([]chan bool, slices)
		for s := range start {
			start[s] = make(chan bool)
		}
		var ready sync.WaitGroup
		for t := 0; t < threads; t++ {
			done.Add(1)
			best[t] = math.MaxFloat64
			go func(t int) {
				runtime.LockOSThread()
				defer done.Done()
				for s := 0; s < slices; s++ {
					<-start[s]
					from := time.Now()
					work(s*977, ops)
					best[t] = math.Min(best[t], float64(time.Since(from).Nanoseconds())/ops)
					ready.Done()
				}
			}(t)
		}
		for s := 0; s < slices; s++ {
			ready.Add(threads)
			close(start[s])
			ready.Wait()
		}
		done.Wait()
		sum := 0.0
		for _, b := range best {
			sum += b
		}
		fmt.Printf("%s.%d_thread %.2f\n", name, threads, sum/float64(threads))
		fmt.Printf("%s.%d_thread_cpu %.2f\n", name, threads, (cpu()-before)/float64(threads*slices*ops))
	}
}

func page(lines int) {
	registry := prometheus.NewRegistry()
	for family := 0; family < 10; family++ {
		counters := prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: fmt.Sprintf("app_requests_%d_total", family), Help: "Requests."},
			[]string{"method", "path", "status"})
		registry.MustRegister(counters)
		for i := 0; i < lines/20; i++ {
			counters.WithLabelValues(methods[i%3], fmt.Sprintf("/api/v1/items/%06d", i), codes[i%5]).
				Add(float64(children[i%inputs]))
		}
		histograms := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: fmt.Sprintf("app_latency_%d_seconds", family), Help: "Latency.", Buckets: bounds},
			[]string{"method", "path"})
		registry.MustRegister(histograms)
		for i := 0; i < lines/280; i++ {
			one := histograms.WithLabelValues(methods[i%3], fmt.Sprintf("/api/v1/items/%06d", i))
			for k := 0; k < 20; k++ {
				one.Observe(seconds[(i*20+k)%inputs])
			}
		}
	}
	best := math.MaxFloat64
	for round := 0; round < 3; round++ {
		from := time.Now()
		var buffer bytes.Buffer
		families, _ := registry.Gather()
		encoder := expfmt.NewEncoder(&buffer, expfmt.FmtText)
		for _, family := range families {
			_ = encoder.Encode(family)
		}
		best = math.Min(best, time.Since(from).Seconds()*1e3)
	}
	fmt.Printf("page.%d_lines %.2f\n", lines, best)
}

func main() {
	random := rand.New(rand.NewSource(12345))
	for i := range seconds {
		seconds[i] = 0.0005 * math.Pow(20000, random.Float64())
		children[i] = random.Intn(750)
	}
	for i := range paths {
		paths[i] = fmt.Sprintf("/api/v1/users/%02d/items", i)
	}
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "c_total"})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g"})
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_seconds", Buckets: bounds})
	errors := prometheus.NewCounter(prometheus.CounterOpts{Name: "e_total"})
	family := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "r_total"},
		[]string{"method", "path", "status"})
	measure("counter_inc", func(at, n int) {
		for i := 0; i < n; i++ {
			counter.Inc()
		}
	})
	measure("gauge_set", func(at, n int) {
		for i := 0; i < n; i++ {
			gauge.Set(seconds[(at+i)%inputs])
		}
	})
	measure("gauge_add", func(at, n int) {
		for i := 0; i < n; i++ {
			gauge.Add(1)
		}
	})
	measure("histogram_observe", func(at, n int) {
		for i := 0; i < n; i++ {
			histogram.Observe(seconds[(at+i)%inputs])
		}
	})
	measure("labels_random", func(at, n int) {
		for i := 0; i < n; i++ {
			c := children[(at+i)%inputs]
			family.WithLabelValues(methods[c%3], paths[c/3%50], codes[c/150]).Inc()
		}
	})
	measure("operation_tracked", func(at, n int) {
		for i := 0; i < n; i++ {
			from := time.Now()
			bad := children[(at+i)%inputs] < 8
			histogram.Observe(time.Since(from).Seconds())
			if bad {
				errors.Inc()
			}
		}
	})
	page(1000000)
}
