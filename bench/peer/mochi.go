package peer

import "strconv"

// Mochi is mochi-mqtt as bench/cmd/mochi builds it: all in memory.
func Mochi(binary string) Kind {
	return Kind{Name: "mochi", Binary: binary, command: func(_ string, port int, need Need) ([]string, error) {
		args := []string{"-listen", "127.0.0.1:" + strconv.Itoa(port)}
		if need.Waiting > 0 {
			args = append(args, "-waiting", strconv.Itoa(need.Waiting))
		}
		return args, nil
	}}
}
