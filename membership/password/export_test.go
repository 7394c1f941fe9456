package password

import (
	"encoding/hex"

	"github.com/gtank/ristretto255"
)

// GeneratorString, Generator and Run show CPace as the draft's test vectors have it.
func GeneratorString(prs, ci, sid []byte) []byte { return generatorString(prs, ci, sid) }

func Generator(prs, ci, sid []byte) []byte { return generator(prs, ci, sid).Encode(nil) }

// Run is a run with a known secret: it returns the share, and the key with another's share.
func Run(prs, ci, sid []byte, secret string) (share []byte, key func(their, transcript []byte) ([]byte, error)) {
	b, err := hex.DecodeString(secret)
	if err != nil {
		return nil, nil
	}
	s := ristretto255.NewScalar()
	if err := s.Decode(b); err != nil {
		return nil, nil
	}
	x := startExchange(prs, ci, sid, s)
	return x.share, x.key
}

func LVCat(parts ...[]byte) []byte { return lvCat(parts...) }

// MaxSources is how many sources a limiter remembers; Sources is how many it does now.
const MaxSources = maxSources

func (l *Limiter) Sources() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sources)
}
