package access

import (
	"crypto/x509"
	"fmt"
)

// commonName is the object identifier of the attribute commonName (X.520).
const commonName = "2.5.4.3"

// certUser returns the one name of that kind in a certificate. With several, the one that counts would be a guess.
func certUser(cert *x509.Certificate, kind CertificateName) (string, error) {
	var names []string
	switch kind {
	case CommonName:
		for _, attribute := range cert.Subject.Names {
			if s, ok := attribute.Value.(string); ok && attribute.Type.String() == commonName {
				names = append(names, s)
			}
		}
	case DNSName:
		names = cert.DNSNames
	case EmailName:
		names = cert.EmailAddresses
	case URIName:
		for _, u := range cert.URIs {
			names = append(names, u.String())
		}
	}
	if len(names) != 1 {
		return "", fmt.Errorf("its certificate has %d names of the kind that broker.certificate_user asks for (%s); exactly one is needed", len(names), kind)
	}
	if !isName(names[0]) {
		return "", fmt.Errorf("the name in its certificate, %s, is no user name: it is empty, or has a control character in it", shown(names[0]))
	}
	return names[0], nil
}
