package configs

import "path/filepath"

// resolve lets the relative paths of the files that the configuration names begin at its own folder, wherever edged was
// started: those of certificates, keys, passwords and users. data_dir is no such file, and what devices name is theirs.
func (c *Config) resolve(dir string) {
	paths := []*string{&c.Broker.Access.UsersFile}
	for _, list := range [][]string{c.Broker.Access.JWT.PublicKeys, c.Broker.Access.JWT.SecretFiles} {
		for i := range list {
			paths = append(paths, &list[i])
		}
	}
	for i := range c.Broker.Listeners {
		t := &c.Broker.Listeners[i].TLS
		paths = append(paths, &t.Cert, &t.Key, &t.ClientCA)
	}
	for i := range c.Uplinks {
		u := &c.Uplinks[i]
		paths = append(paths, &u.PasswordFile, &u.TLS.CA, &u.TLS.Cert, &u.TLS.Key)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}
