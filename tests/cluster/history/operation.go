package history

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what an operation does.
type Kind uint8

// The kinds.
const (
	Put Kind = iota
	Get
	Delete
	List
)

// Condition is what a put asks for.
type Condition uint8

// The conditions.
const (
	Always  Condition = iota
	IfNone            // If-None-Match: *
	IfMatch           // If-Match: the ETag of Operation.Match
)

// Outcome is what a client knows of an operation.
type Outcome uint8

// The outcomes.
const (
	Done    Outcome = iota // acknowledged, or read
	Refused                // its condition was not met; nothing was done
	Unknown                // it may have been done, may be done later or never
)

// Value says what an object holds; None is no object.
type Value uint64

// None is the value of what is not there.
const None Value = 0

// Operation is one attempt at one thing.
type Operation struct {
	Client    int
	Gateway   string
	Kind      Kind
	Key       string // of a List: the prefix
	Condition Condition
	Match     Value            // of IfMatch
	Value     Value            // of a Put: what it writes; of a Get: what it found
	Listed    map[string]Value // of a List: what it named

	Call, Return time.Duration // since the history began
	Outcome      Outcome
	// Broken says what was wrong with the answer, whatever the order of operations: bytes that nobody wrote, a wrong ETag.
	Broken string
}

// String shows an operation on a line.
func (o Operation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%10.4f .. ", o.Call.Seconds())
	if o.Outcome == Unknown {
		b.WriteString("         ?")
	} else {
		fmt.Fprintf(&b, "%10.4f", o.Return.Seconds())
	}
	fmt.Fprintf(&b, "  client %d via %s: ", o.Client, o.Gateway)
	switch o.Kind {
	case Put:
		fmt.Fprintf(&b, "put %s %x", o.Key, o.Value)
	case Get:
		fmt.Fprintf(&b, "get %s: %x", o.Key, o.Value)
	case Delete:
		fmt.Fprintf(&b, "delete %s", o.Key)
	case List:
		fmt.Fprintf(&b, "list %s: %x", o.Key, o.Listed)
	}
	switch o.Condition {
	case IfNone:
		b.WriteString(" if there is none")
	case IfMatch:
		fmt.Fprintf(&b, " if it is %x", o.Match)
	}
	switch o.Outcome {
	case Refused:
		b.WriteString(": refused")
	case Unknown:
		b.WriteString(": unknown")
	}
	if o.Broken != "" {
		b.WriteString(": " + o.Broken)
	}
	return b.String()
}
