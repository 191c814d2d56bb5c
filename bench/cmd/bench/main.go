// Command bench measures edged beside other brokers, in turn and pinned alike, and prints medians and ratios as Markdown.
// Run it in the folder bench of the repository: it builds edged from the folder above.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/edged/edged/bench/peer"
	"github.com/edged/edged/bench/scenario"
)

// perRun bounds one scenario against one broker.
const perRun = 5 * time.Minute

type options struct {
	scenarios            []scenario.Scenario
	peers                []string
	runs                 int
	scale                scenario.Scale
	quick                bool
	brokerCore, loadCore int
}

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var names []string
	for _, s := range scenario.All() {
		names = append(names, s.Name)
	}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	which := f.String("scenario", "all", "`names`, separated by commas: "+strings.Join(names, ", ")+"; or all")
	peers := f.String("peers", "edged,mosquitto,mochi", "`brokers` to compare, in this order: edged, mosquitto, mochi")
	f.IntVar(&o.runs, "runs", 3, "how many `times` each is measured; the table shows medians")
	f.BoolVar(&o.quick, "quick", false, "a second each and fewer messages, for trying out")
	f.IntVar(&o.brokerCore, "broker-core", 0, "processor `core` of the broker; -1: any")
	f.IntVar(&o.loadCore, "load-core", 1, "processor `core` of the load generator; -1: any")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.scale, o.peers = scenario.Full(), strings.Split(*peers, ",")
	if o.quick {
		o.scale = scenario.Quick()
	}
	for _, s := range scenario.All() {
		if *which == "all" || slices.Contains(strings.Split(*which, ","), s.Name) {
			o.scenarios = append(o.scenarios, s)
		}
	}
	for _, name := range strings.Split(*which, ",") {
		if name != "all" && !slices.Contains(names, name) {
			return o, complain(stderr, "no scenario %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	if o.runs < 1 {
		return o, complain(stderr, "-runs %d: at least one is needed", o.runs)
	}
	return o, nil
}

func complain(stderr io.Writer, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	fmt.Fprintln(stderr, "bench:", err)
	return err
}

func run(ctx context.Context, o options, stdout, progress io.Writer) (err error) {
	if err := peer.RaiseFiles(uint64(o.scale.Idle + 1000)); err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "edged-bench-bin-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bin)) }()
	kinds, err := build(ctx, bin, o.peers)
	if err != nil {
		return err
	}
	if o.loadCore >= 0 {
		runtime.GOMAXPROCS(1)
		if err := peer.PinSelf(o.loadCore); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "%s\n", machine(o))
	failures := 0
	all := results{}
	for _, s := range o.scenarios {
		for n := range o.runs {
			for _, k := range kinds {
				fmt.Fprintf(progress, "%s %s, run %d of %d\n", time.Now().Format(time.TimeOnly), s.Name+" "+k.Name, n+1, o.runs)
				metrics, err := once(ctx, o, s, k)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					failures++
					fmt.Fprintf(progress, "  failed: %v\n", err)
				}
				all.add(s.Name, k.Name, metrics, err)
			}
		}
		fmt.Fprintln(stdout, all.table(s, o.scale, o.peers))
	}
	fmt.Fprintln(stdout, all.goals())
	if failures > 0 {
		return fmt.Errorf("%d measurements failed", failures)
	}
	return nil
}

// once starts a broker, measures one scenario, and stops it.
func once(ctx context.Context, o options, s scenario.Scenario, k peer.Kind) ([]scenario.Metric, error) {
	ctx, cancel := context.WithTimeout(ctx, perRun)
	defer cancel()
	b, err := k.Start(ctx, o.brokerCore, s.Need(o.scale))
	if err != nil {
		return nil, err
	}
	metrics, err := s.Run(ctx, b, o.scale)
	if stopErr := b.Stop(); err == nil {
		err = stopErr
	}
	return metrics, err
}

// build makes the programs that are ours to build.
func build(ctx context.Context, bin string, names []string) (kinds []peer.Kind, err error) {
	compile := func(dir, name string) error {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(bin, name), "./cmd/"+name)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s (bench runs in the folder bench of the repository): %w\n%s", name, err, out)
		}
		return nil
	}
	for _, name := range names {
		switch name {
		case "edged":
			err = compile("..", name)
			kinds = append(kinds, peer.Edged(filepath.Join(bin, name)))
		case "mochi":
			err = compile(".", name)
			kinds = append(kinds, peer.Mochi(filepath.Join(bin, name)))
		case "mosquitto":
			kinds = append(kinds, peer.Mosquitto())
		default:
			err = fmt.Errorf("no broker %q; there are edged, mosquitto and mochi", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return kinds, nil
}
