package buffer

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// errDamaged: the checksum over a stored value does not match, or the value does not parse.
var errDamaged = errors.New("stored value is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealSize is how many bytes sealed puts before a value.
const sealSize = 4

// checksum covers the key too, so that a value found under a key that is not its own is seen.
func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}

// sealed gives body with the checksum in front.
func sealed(key, body []byte) []byte {
	v := make([]byte, sealSize, sealSize+len(body))
	binary.BigEndian.PutUint32(v, checksum(key, body))
	return append(v, body...)
}

// unseal checks a value and gives its body, which aliases it.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < sealSize || binary.BigEndian.Uint32(value) != checksum(key, value[sealSize:]) {
		return nil, errDamaged
	}
	return value[sealSize:], nil
}
