package password

import (
	"crypto/rand"
	"crypto/sha512"
	"errors"

	"github.com/gtank/ristretto255"
)

// CPace is a balanced password-authenticated key exchange (draft-irtf-cfrg-cpace), here with the suite CPACE-RISTR255-SHA512. Names
// are those of the draft: PRS is the secret that comes from the password, CI identifies the channel, sid the session, Y are the
// shares that travel, ISK is the key that both have in the end if all of these agree.
const cpaceDSI = "CPaceRistretto255"

// shareSize is the size of a share.
const shareSize = 32

// exchange is one side of a run.
type exchange struct {
	sid    []byte
	secret *ristretto255.Scalar
	share  []byte
}

// newExchange draws a secret and computes the share for the other side.
func newExchange(prs, ci, sid []byte) exchange {
	var wide [64]byte
	_, _ = rand.Read(wide[:]) // never fails
	return startExchange(prs, ci, sid, ristretto255.NewScalar().FromUniformBytes(wide[:]))
}

func startExchange(prs, ci, sid []byte, secret *ristretto255.Scalar) exchange {
	g := generator(prs, ci, sid)
	share := ristretto255.NewElement().ScalarMult(secret, g).Encode(nil)
	return exchange{sid: sid, secret: secret, share: share}
}

// generator is calculate_generator: the password picks the base of the key exchange.
func generator(prs, ci, sid []byte) *ristretto255.Element {
	sum := sha512.Sum512(generatorString(prs, ci, sid))
	return ristretto255.NewElement().FromUniformBytes(sum[:])
}

// generatorString pads, so that the password and the zeros fill the first block of the hash.
func generatorString(prs, ci, sid []byte) []byte {
	zeros := max(0, sha512.BlockSize-1-len(lvCat(prs))-len(lvCat([]byte(cpaceDSI))))
	return lvCat([]byte(cpaceDSI), prs, make([]byte, zeros), ci, sid)
}

var errShare = errors.New("the other side's share is not valid")

// key is scalar_mult_vfy and the derivation of ISK: transcript is lvCat(Ya, ADa) and lvCat(Yb, ADb), one after the other.
func (x exchange) key(theirShare, transcript []byte) ([]byte, error) {
	their := ristretto255.NewElement()
	if err := their.Decode(theirShare); err != nil {
		return nil, errShare
	}
	k := ristretto255.NewElement().ScalarMult(x.secret, their)
	if k.Equal(ristretto255.NewElement()) == 1 { // the neutral element: anybody would know the key
		return nil, errShare
	}
	sum := sha512.Sum512(append(lvCat([]byte(cpaceDSI+"_ISK"), x.sid, k.Encode(nil)), transcript...))
	return sum[:], nil
}

// lvCat is lv_cat: each string after its length in LEB128.
func lvCat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		n := len(p)
		for ; n >= 0x80; n >>= 7 {
			b = append(b, byte(n)|0x80)
		}
		b = append(append(b, byte(n)), p...)
	}
	return b
}
