package gwtest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
)

// The digests are computed with the standard library and not with the code under test.

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func md5Base64(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// algorithm is an additional checksum.
type algorithm struct {
	name string // as in x-amz-checksum-algorithm
	new  func() hash.Hash
	full bool // may be a full-object checksum of several parts
	comp bool // may be composite
}

func (a algorithm) header() string { return "X-Amz-Checksum-" + a.name }

func (a algorithm) raw(data []byte) []byte {
	h := a.new()
	h.Write(data)
	return h.Sum(nil)
}

func (a algorithm) base64(data []byte) string { return base64.StdEncoding.EncodeToString(a.raw(data)) }

// crc64NVME is the reversed polynomial of CRC-64/NVME.
const crc64NVME = 0x9a6c9329ac4bc9b5

func algorithms() []algorithm {
	return []algorithm{
		{"Crc32", func() hash.Hash { return crc32.NewIEEE() }, true, true},
		{"Crc32c", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }, true, true},
		{"Crc64nvme", func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVME)) }, true, false},
		{"Sha1", sha1.New, false, true},
		{"Sha256", sha256.New, false, true},
	}
}

func crc32Base64(s string) string { return algorithms()[0].base64([]byte(s)) }
