package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edged/edged/internal/access"
)

// usersFlags say which users file is meant.
type usersFlags struct{ config, users string }

func (a *app) usersCommand() *cobra.Command {
	var f usersFlags
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Add, remove and list the users who may connect",
		Long: `Users edits the file that broker.users_file of the configuration names, or another one of the same format, which is
that of mosquitto_passwd. A running edged reads it again when somebody logs in; it needs no restart.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVarP(&f.config, "config", "c", "", "configuration `file` that names the users file (default $EDGED_CONFIG, ./edged.yaml or /etc/edged/edged.yaml)")
	flags.StringVarP(&f.users, "file", "f", "", "users `file`, whatever the configuration says")
	cmd.AddCommand(a.usersAddCommand(&f), a.usersRemoveCommand(&f), a.usersListCommand(&f))
	return cmd
}

// path finds the users file.
func (f *usersFlags) path() (string, error) {
	if f.users != "" {
		return f.users, nil
	}
	path, err := findFile(f.config)
	if err != nil {
		return "", err
	}
	cfg, err := load(path)
	if err != nil {
		return "", explain(err)
	}
	if name := cfg.Broker.Access.UsersFile; name != "" {
		return name, nil
	}
	if path == "" {
		path = "no configuration, which"
	}
	return "", usage(fmt.Errorf("%s names no broker.users_file; add that key, or name a file with -f", path))
}

func (a *app) usersAddCommand(f *usersFlags) *cobra.Command {
	var passwordFile string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user, or set his password",
		Long: `Add sets a user's password in the users file, and makes the file if there is none. The password is asked for at
the terminal, or is a line of the standard input, or in a file; it is never an argument, which every user of a machine can
see. It is kept as a hash (PBKDF2-SHA512). A new file belongs to who runs this: edged's user must be able to read it.`,
		Example: "  edged users add meter-1\n  sudo -u edged edged users add -c /etc/edged/edged.yaml meter-1 -P password.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := f.path()
			if err != nil {
				return err
			}
			password, err := a.newPassword(passwordFile, args[0])
			if err != nil {
				return err
			}
			replaced, err := access.AddUser(path, args[0], password)
			if err != nil {
				return err
			}
			what := "Added user %s to %s.\n"
			if replaced {
				what = "Set a new password for user %s in %s.\n"
			}
			fmt.Fprintf(a.out, what, args[0], path)
			return nil
		},
	}
	cmd.Flags().StringVarP(&passwordFile, "password-file", "P", "", "`file` that holds the password, - for a line of the standard input")
	return cmd
}

func (a *app) usersRemoveCommand(f *usersFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove a user",
		Long:    "Remove takes a user out of the users file. Connections that he has stay until they end.",
		Example: "  edged users remove meter-1",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := f.path()
			if err != nil {
				return err
			}
			if err := access.RemoveUser(path, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "Removed user %s from %s.\n", args[0], path)
			return nil
		},
	}
}

func (a *app) usersListCommand(f *usersFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the users",
		Example: "  edged users list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := f.path()
			if err != nil {
				return err
			}
			names, err := access.ListUsers(path)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(a.out)
				enc.SetEscapeHTML(false)
				return enc.Encode(append([]string{}, names...))
			}
			for _, name := range names {
				fmt.Fprintln(a.out, name)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a list of strings")
	return cmd
}

// newPassword gets a password that somebody chooses.
func (a *app) newPassword(file, user string) ([]byte, error) {
	if in, ok := a.in.(*os.File); ok && file == "" && isTerminal(in) {
		return a.askTwice(in, user)
	}
	if file == "" {
		file = "-"
	}
	f := connectFlags{passwordFile: file}
	return f.password(a.in)
}

// askTwice asks at the terminal, without showing what is typed.
func (a *app) askTwice(in *os.File, user string) ([]byte, error) {
	var lines [2][]byte
	for i, prompt := range []string{"Password of " + user + ": ", "The same again: "} {
		var err error
		silently(in, func() {
			fmt.Fprint(a.err, prompt)
			lines[i], err = readLine(in, 65535)
		})
		fmt.Fprintln(a.err)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if string(lines[0]) != string(lines[1]) {
		return nil, errors.New("the two passwords differ; nothing was changed")
	}
	return []byte(strings.TrimRight(string(lines[0]), "\r\n")), nil
}
