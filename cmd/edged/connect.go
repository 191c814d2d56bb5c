package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/client"
)

// connectTimeout bounds connecting, up to the broker's CONNACK.
const connectTimeout = 10 * time.Second

// connectFlags say where pub and sub connect to, and as whom.
type connectFlags struct {
	url, id, user, passwordFile, version, ca string
	debug                                    bool
}

func (f *connectFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Bool("help", false, "show this help") // without its -h, which is the host
	flags.StringVarP(&f.url, "url", "h", "mqtt://127.0.0.1:1883", "`address` of the broker: a host, host:port, mqtt://, mqtts:// or unix://")
	flags.StringVar(&f.id, "id", "", "client `identifier` (default: the broker makes one)")
	flags.StringVarP(&f.user, "user", "u", "", "user `name`")
	flags.StringVarP(&f.passwordFile, "password-file", "P", "", "`file` that holds the password, - for a line of the standard input (default $EDGED_PASSWORD)")
	flags.StringVarP(&f.version, "protocol", "V", "3.1.1", "`version` of MQTT: 3.1, 3.1.1 or 5")
	flags.StringVar(&f.ca, "ca", "", "PEM `file` of those who may sign an mqtts:// broker's certificate (default: the system's)")
	flags.BoolVarP(&f.debug, "debug", "d", false, "say on the standard error stream what happens")
}

// dial connects. An address that nobody answers at is exitUnreached.
func (f *connectFlags) dial(ctx context.Context, a *app) (*client.Client, error) {
	o := client.Options{URL: f.url, ClientID: f.id, CleanStart: true, Username: f.user}
	if !strings.Contains(o.URL, "://") {
		o.URL = "mqtt://" + o.URL
	}
	if u, err := url.Parse(o.URL); err != nil || u.User != nil { // without the address, which may hold a password
		return nil, usage(errors.New("-h takes mqtt://host:port; a user name is given with -u, a password in a file with -P"))
	}
	var ok bool
	if o.Version, ok = map[string]mqtt.Version{"3.1": mqtt.V31, "3.1.1": mqtt.V311, "5": mqtt.V5, "5.0": mqtt.V5}[f.version]; !ok {
		return nil, usage(fmt.Errorf("%q is not a version of MQTT; use 3.1, 3.1.1 or 5", f.version))
	}
	if o.ClientID == "" && o.Version == mqtt.V31 {
		o.ClientID = "edged-" + rand.Text()[:10] // 3.1 wants one of 1 to 23 characters from the client
	}
	var err error
	if o.Password, err = f.password(a.in); err != nil {
		return nil, err
	}
	if len(o.Password) > 0 && o.Username == "" {
		return nil, usage(errors.New("a password needs a user name; give it with -u"))
	}
	if o.TLS, err = f.tls(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := client.Dial(ctx, o)
	var refused *client.CodeError
	if err != nil && !errors.As(err, &refused) {
		return nil, &codedError{exitUnreached, fmt.Errorf("no broker at %s: %w", o.URL, err)}
	}
	if err == nil {
		f.say(a, "connected to %s", o.URL)
	}
	return c, err
}

// password reads it from the file, the standard input or the environment: arguments are seen by every user of a machine.
func (f *connectFlags) password(in io.Reader) ([]byte, error) {
	const most = 65535 // MQTT 5.0 §3.1.3.6
	if f.passwordFile == "" {
		return []byte(os.Getenv("EDGED_PASSWORD")), nil
	}
	if f.passwordFile == "-" {
		line, err := readLine(in, most)
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return nil, usage(fmt.Errorf("no password on the standard input: %w", err))
		}
		return line, nil
	}
	file, err := os.Open(f.passwordFile)
	if err != nil { // without the name: whoever takes -P for the password itself must not see it in a log
		return nil, usage(errors.New("the password file cannot be read: " + cause(err) + "; -P takes the name of a file, never the password"))
	}
	data, err := io.ReadAll(io.LimitReader(file, most+2))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return []byte(strings.TrimRight(string(data), "\r\n")), nil
}

// cause is an error of the file system without the file's name.
func cause(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// readLine reads up to a line end, byte by byte so that nothing behind it is taken.
func readLine(r io.Reader, most int) ([]byte, error) {
	var line []byte
	for b := make([]byte, 1); len(line) <= most; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			return []byte(strings.TrimSuffix(string(line), "\r")), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return line, err
		}
	}
	return nil, fmt.Errorf("longer than %d bytes", most)
}

func (f *connectFlags) tls() (*tls.Config, error) {
	if f.ca == "" {
		return nil, nil //nolint:nilnil // nil is the client's word for the system's roots
	}
	pem, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, usage(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, usage(fmt.Errorf("%s holds no certificate; it must be a PEM file with -----BEGIN CERTIFICATE-----", f.ca))
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// say prints what happens, when -d is given.
func (f *connectFlags) say(a *app, format string, args ...any) {
	if f.debug {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// checkQoS refuses what is no quality of service.
func checkQoS(qos uint8) error {
	if qos > 2 {
		return usage(fmt.Errorf("%d is not a quality of service; use 0, 1 or 2", qos))
	}
	return nil
}
