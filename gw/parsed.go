package gw

import (
	"sync"

	"holdfast"
	"holdfast/volume"
)

// maxParsed bounds how many parsed settings a gateway keeps; beyond it any one goes.
const maxParsed = 10_000

// parsedSettings keeps what parsing the settings of buckets gave, so that a request does not parse a policy again. A value counts
// for the epoch of the record it was parsed from only. The zero value is ready.
type parsedSettings struct {
	mu     sync.RWMutex
	values map[parsedKey]parsedValue
}

type parsedKey struct {
	root holdfast.DirID
	name string
}

type parsedValue struct {
	epoch uint64
	value any
}

// parseSetting returns a setting of a bucket as parse reads it, false if the bucket does not have it. The value is shared between
// requests: do not change it. A name must always go with the same parse.
func parseSetting[T any](p *parsedSettings, b *volume.Bucket, name string, parse func(doc []byte) (T, error)) (T, bool, error) {
	return parseSettingOf(p, b.Info(), name, parse)
}

// parseSettingOf is parseSetting for a record.
func parseSettingOf[T any](p *parsedSettings, info *holdfast.BucketInfo, name string, parse func(doc []byte) (T, error)) (T, bool, error) {
	var none T
	doc, ok := info.Settings[name]
	if !ok {
		return none, false, nil
	}
	value, err := parseRecord(p, info, name, func(*holdfast.BucketInfo) (T, error) { return parse(doc) })
	return value, err == nil, err
}

// parseRecord is parseSetting for what is made from several settings, under a name that none of them has.
func parseRecord[T any](p *parsedSettings, info *holdfast.BucketInfo, name string, parse func(*holdfast.BucketInfo) (T, error)) (T, error) {
	var none T
	key := parsedKey{info.Root, name}
	p.mu.RLock()
	kept, ok := p.values[key]
	p.mu.RUnlock()
	if ok && kept.epoch == info.Epoch {
		return kept.value.(T), nil
	}
	value, err := parse(info)
	if err != nil {
		return none, err
	}
	p.keep(key, parsedValue{info.Epoch, value})
	return value, nil
}

func (p *parsedSettings) keep(key parsedKey, v parsedValue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values == nil {
		p.values = make(map[parsedKey]parsedValue)
	}
	if len(p.values) >= maxParsed {
		for other := range p.values {
			delete(p.values, other)
			break
		}
	}
	p.values[key] = v
}
