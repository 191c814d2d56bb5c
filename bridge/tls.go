package bridge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLS names the PEM files of an mqtts connection. They are read at each connect, so that a renewed certificate is used
// from the next connection on.
type TLS struct {
	// CA holds the certificates that the server's must come from; empty: the system's.
	CA string `yaml:"ca"`
	// Cert and Key are the edge's own certificate, with its chain, and its private key; both or neither.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// config reads the files. Names are always verified, and versions below TLS 1.2 refused.
func (t TLS) config(serverName string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca: %s holds no certificate; it must be a PEM file with -----BEGIN CERTIFICATE-----", t.CA)
		}
	}
	if t.Cert == "" {
		return c, nil
	}
	certPEM, err := os.ReadFile(t.Cert)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	keyPEM, err := readSecret("tls.key", t.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("tls.cert %s and tls.key %s: %w", t.Cert, t.Key, err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// maxSecret is the longest secret file that is read.
const maxSecret = 1 << 20

// readSecret reads a file that others must not be able to read.
func readSecret(key, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, fmt.Errorf("%s: %s is not a file", key, path)
	case mode.Perm()&0o007 != 0:
		return nil, fmt.Errorf("%s: everybody on this machine may read or change %s (mode %04o); do chmod 600 %s", key, path, mode.Perm(), path)
	case info.Size() > maxSecret:
		return nil, fmt.Errorf("%s: %s has %d bytes, which is no key or password", key, path, info.Size())
	}
	b := make([]byte, info.Size())
	n, err := f.ReadAt(b, 0)
	if err != nil && n < len(b) {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return b, nil
}

// password reads the password file; none: no password.
func (c Config) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	b, err := readSecret("password_file", c.PasswordFile)
	if err != nil {
		return "", err
	}
	p := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if p == "" {
		return "", errors.New("password_file: " + c.PasswordFile + " is empty")
	}
	return p, nil
}
