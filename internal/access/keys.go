package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	maxKeyFile = 1 << 20
	// minSecret is the size of HS256's output (RFC 7518 §3.2).
	minSecret = 32
	minRSA    = 2048 // RFC 7518 §3.3
)

// readPublicKey reads a public key, and says for which algorithm alone it is used.
func readPublicKey(path string) (algorithm string, key any, err error) {
	text, _, err := readRegular(path, maxKeyFile)
	if err != nil {
		return "", nil, err
	}
	block, _ := pem.Decode(bytes.TrimPrefix(text, []byte("\ufeff")))
	if block == nil {
		return "", nil, fmt.Errorf("%s: no PEM block in it; a public key or a certificate is expected", path)
	}
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	default:
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return "", nil, fmt.Errorf("%s: a private key, which belongs to the issuer of the tokens alone; give the public key (openssl pkey -in KEY -pubout)", path)
		}
		return "", nil, fmt.Errorf("%s: a PEM block %q; a public key or a certificate is expected", path, block.Type)
	}
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", path, err)
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return "", nil, fmt.Errorf("%s: an RSA key of %d bits; at least %d are needed", path, k.N.BitLen(), minRSA)
		}
		return "RS256", key, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return "ES256", key, nil
		}
	case ed25519.PublicKey:
		return "EdDSA", key, nil
	}
	return "", nil, fmt.Errorf("%s: a key of a kind that is not used for tokens here; use RSA, P-256 or Ed25519", path)
}

// readSecret reads a secret for HS256. A public key is refused: everybody knows it, and could make tokens with it.
func readSecret(path string) ([]byte, error) {
	text, info, err := readRegular(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return nil, fmt.Errorf("%s: everybody on this machine may read or change it (mode %04o); do chmod 600 %s", path, mode, path)
	}
	secret := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if bytes.Contains(text, []byte("-----BEGIN")) || isKey(text) {
		return nil, fmt.Errorf("%s: a key or a certificate, not a secret; name it in public_keys", path)
	}
	if len(secret) < minSecret {
		return nil, fmt.Errorf("%s: %d bytes; at least %d are needed (openssl rand -hex 32)", path, len(secret), minSecret)
	}
	return secret, nil
}

// isKey says whether der is a public key or a certificate in binary.
func isKey(der []byte) bool {
	_, pkix := x509.ParsePKIXPublicKey(der)
	_, pkcs1 := x509.ParsePKCS1PublicKey(der)
	_, cert := x509.ParseCertificate(der)
	return pkix == nil || pkcs1 == nil || cert == nil
}

// readKeys reads all keys of c, by algorithm.
func readKeys(c JWT) (map[string][]any, error) {
	keys := map[string][]any{}
	var errs []error
	for i, path := range c.PublicKeys {
		algorithm, key, err := readPublicKey(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("jwt.public_keys[%d]: %w", i, err))
			continue
		}
		keys[algorithm] = append(keys[algorithm], key)
	}
	for i, path := range c.SecretFiles {
		secret, err := readSecret(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("jwt.secret_files[%d]: %w", i, err))
			continue
		}
		keys["HS256"] = append(keys["HS256"], secret)
	}
	return keys, errors.Join(errs...)
}
