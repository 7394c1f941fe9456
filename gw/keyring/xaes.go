package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// Sizes of XAES-256-GCM.
const (
	deriveSize = 12 // of the part of the nonce that derives a key
	nonceSize  = deriveSize + 12
	tagSize    = 16
)

// derive returns the AES-256-GCM that XAES-256-GCM uses with this nonce; the second half of the nonce is for that. The key is made by two
// blocks of AES-CMAC in counter mode, see https://c2sp.org/XAES-256-GCM.
func derive(key *[KeySize]byte, nonce []byte) (cipher.AEAD, error) {
	outer, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	var k1 [aes.BlockSize]byte // the CMAC subkey of whole blocks
	outer.Encrypt(k1[:], k1[:])
	var carry byte
	for i := len(k1) - 1; i >= 0; i-- {
		k1[i], carry = k1[i]<<1|carry, k1[i]>>7
	}
	k1[len(k1)-1] ^= byte(subtle.ConstantTimeSelect(int(carry), 0x87, 0))

	var derived [KeySize]byte
	for i := range 2 {
		block := derived[i*aes.BlockSize:][:aes.BlockSize]
		copy(block, []byte{0, byte(i + 1), 'X', 0})
		copy(block[4:], nonce[:deriveSize])
		subtle.XORBytes(block, block, k1[:])
		outer.Encrypt(block, block)
	}
	inner, err := aes.NewCipher(derived[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(inner)
}
