// Edged is an MQTT broker, device gateway and store-and-forward bridge in one binary. `edged --help` lists what it does.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// app is what every subcommand gets: the streams it may use.
type app struct {
	in       io.Reader
	out, err io.Writer
}

// execute runs the command line and returns its exit code.
func execute(args []string, in io.Reader, out, stderr io.Writer) int {
	a := &app{in: in, out: out, err: stderr}
	root := &cobra.Command{
		Use:   "edged",
		Short: "An MQTT broker that reads your devices and forwards to the cloud, and loses nothing on the way",
		Long: `edged is an MQTT broker, reads devices, and forwards to brokers in the cloud.
What it acknowledged is on disk, and arrives in order once the line is back.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration invalid, 4 edged not reachable,
5 not authorised, 6 timed out.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(a.runCommand(), a.checkCommand(), a.initCommand(), a.demoCommand(), a.pubCommand(), a.subCommand(), a.usersCommand(), a.versionCommand())
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(stderr)
	started := false // an error before a command has started is one of usage
	noteStart(root, &started)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitDone
	}
	code := codeOf(err)
	if !started {
		code = exitUsage
	}
	if code == exitUsage {
		err = fmt.Errorf("%w\nRun '%s --help' for usage", err, cmd.CommandPath())
	}
	fmt.Fprintln(stderr, "edged:", err)
	return code
}

// noteStart has every command below c set started when it runs.
func noteStart(c *cobra.Command, started *bool) {
	for _, c := range c.Commands() {
		noteStart(c, started)
		if run := c.RunE; run != nil {
			c.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return run(cmd, args)
			}
		}
	}
}
