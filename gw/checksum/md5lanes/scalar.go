package md5lanes

import (
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"hash"
)

// scalar runs crypto/md5 from any state to the next, by way of the form in which that package saves a hash: 4 bytes that name the
// form, the state, a block that is not full and the length, big-endian. The zero value is ready.
type scalar struct {
	hash  hash.Hash
	saved [len(savedForm) + 16 + md5.BlockSize + 8]byte
}

const savedForm = "md5\x01"

// blocks hashes whole blocks. The tests would notice another saved form, and so does crypto/md5 itself: then the package is of no use,
// which is our own bug.
func (s *scalar) blocks(state [4]uint32, blocks []byte) [4]uint32 {
	if s.hash == nil {
		s.hash = md5.New()
	}
	saved := append(s.saved[:0], savedForm...)
	for _, word := range state {
		saved = binary.BigEndian.AppendUint32(saved, word)
	}
	clear(s.saved[len(saved):])
	if err := s.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.saved[:]); err != nil {
		panic("md5lanes: " + err.Error())
	}
	s.hash.Write(blocks)
	saved, err := s.hash.(encoding.BinaryAppender).AppendBinary(s.saved[:0])
	if err != nil {
		panic("md5lanes: " + err.Error())
	}
	for i := range state {
		state[i] = binary.BigEndian.Uint32(saved[len(savedForm)+4*i:])
	}
	return state
}
