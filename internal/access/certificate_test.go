package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"testing"
)

// certificate makes a certificate and reads it, as TLS does.
func certificate(t *testing.T, template x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCertificates(t *testing.T) {
	uri, err := url.Parse("spiffe://plant/meter-1")
	if err != nil {
		t.Fatal(err)
	}
	full := certificate(t, x509.Certificate{
		Subject: pkix.Name{CommonName: "meter-1", Organization: []string{"plant"}}, DNSNames: []string{"meter-1.example.com"},
		EmailAddresses: []string{"meter-1@example.com"}, URIs: []*url.URL{uri},
	})
	second := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "root"}
	two := certificate(t, x509.Certificate{
		Subject:  pkix.Name{CommonName: "meter-1", ExtraNames: []pkix.AttributeTypeAndValue{second, {Type: second.Type, Value: "meter-1"}}},
		DNSNames: []string{"a", "b"}, EmailAddresses: []string{"a@a", "b@b"}, URIs: []*url.URL{uri, uri},
	})
	none := certificate(t, x509.Certificate{})
	hostile := certificate(t, x509.Certificate{Subject: pkix.Name{CommonName: "joe\nroot"}})
	users := write(t, "users", line(t, "joe", "right"))
	for kindOf, want := range map[CertificateName]string{CommonName: "meter-1", DNSName: "meter-1.example.com", EmailName: "meter-1@example.com", URIName: "spiffe://plant/meter-1"} {
		a, _ := open(t, Config{CertificateUser: kindOf, UsersFile: users})
		id, err := a.Authenticate(soon(t), Request{Cert: full, Username: "root"})
		if err != nil || id.User != want {
			t.Errorf("%s: got %v, %v", kindOf, id, err)
		}
		for name, cert := range map[string]*x509.Certificate{"two names": two, "no name": none, "a line break": hostile} {
			// Neither a right password nor the policy for anonymous clients makes up for it.
			id, err := a.Authenticate(soon(t), Request{Cert: cert, Username: "joe", Password: []byte("right"), Anonymous: true})
			if kind(err) != "bad" || id != (Identity{}) {
				t.Errorf("%s, %s: got %v, %v", kindOf, name, id, err)
			}
		}
		if err := login(t, a, "192.0.2.1", "joe", "right"); err != nil {
			t.Errorf("%s: without a certificate: %v", kindOf, err)
		}
	}
	a, _ := open(t, Config{})
	if id, err := a.Authenticate(soon(t), Request{Cert: full}); kind(err) != "unauthorised" {
		t.Errorf("certificates name nobody, but: %v, %v", id, err)
	}
}
