package history

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Anomaly is something that no correct store would have answered.
type Anomaly struct {
	Key     string
	What    string
	History []Operation // what was done to the key, in the order of calls
}

// maxShown bounds how many operations an anomaly shows.
const maxShown = 200

func (a Anomaly) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", a.Key, a.What)
	for i, o := range a.History {
		if i == maxShown {
			fmt.Fprintf(&b, "\n\t… %d more", len(a.History)-i)
			break
		}
		b.WriteString("\n\t" + o.String())
	}
	return b.String()
}

// Check returns what is wrong with a history, nothing if some order of its operations, each between its call and its return, explains all
// answers. The search for one may take perKey for each key; a key that takes longer is an anomaly, too: nothing is known of it.
func Check(all []Operation, perKey time.Duration) []Anomaly {
	var wrong []Anomaly
	keys := byKey(all)
	for _, o := range all {
		if o.Broken != "" {
			wrong = append(wrong, Anomaly{Key: o.Key, What: "a broken answer", History: []Operation{o}})
		}
		for key := range o.Listed {
			if _, written := keys[key]; !written {
				wrong = append(wrong, Anomaly{Key: key, What: "it was listed, and nobody ever touched it", History: []Operation{o}})
			}
		}
	}
	for _, key := range sorted(keys) {
		what := ""
		switch porcupine.CheckOperationsTimeout(model, attempts(keys[key]), perKey) {
		case porcupine.Ok:
			continue
		case porcupine.Illegal:
			what = "no order of these operations explains their answers"
		default:
			what = fmt.Sprintf("no order was found within %v, nor that there is none", perKey)
		}
		wrong = append(wrong, Anomaly{Key: key, What: what, History: keys[key]})
	}
	return wrong
}

func sorted(keys map[string][]Operation) []string {
	names := make([]string, 0, len(keys))
	for key := range keys {
		names = append(names, key)
	}
	slices.Sort(names)
	return names
}

// byKey gives each key its own history. A listing becomes a read of each key below its prefix that was ever touched.
func byKey(all []Operation) map[string][]Operation {
	keys := map[string][]Operation{}
	for _, o := range all {
		if o.Kind != List {
			keys[o.Key] = append(keys[o.Key], o)
		}
	}
	for _, o := range all {
		if o.Kind != List {
			continue
		}
		for key := range keys {
			if strings.HasPrefix(key, o.Key) {
				seen := o
				seen.Value = o.Listed[key] // None if it is not named
				keys[key] = append(keys[key], seen)
			}
		}
	}
	for _, h := range keys {
		slices.SortStableFunc(h, func(a, b Operation) int { return int(a.Call - b.Call) })
	}
	return keys
}

// attempts turns the history of a key into porcupine's form. What is unknown returns after everything else.
func attempts(h []Operation) []porcupine.Operation {
	all := make([]porcupine.Operation, 0, len(h))
	for _, o := range h {
		end := int64(o.Return)
		if o.Outcome == Unknown {
			end = math.MaxInt64
		}
		all = append(all, porcupine.Operation{ClientId: o.Client, Input: o, Call: int64(o.Call), Output: o.Outcome, Return: end})
	}
	return all
}

// model is what a key does: it holds a value.
var model = porcupine.Model{
	Init: func() any { return None },
	Step: func(state, input, output any) (bool, any) {
		return step(state.(Value), input.(Operation), output.(Outcome))
	},
}

// step returns whether an operation could have this outcome on a key that holds a value, and what the key holds then.
func step(now Value, o Operation, outcome Outcome) (bool, any) {
	switch o.Kind {
	case Get, List:
		return now == o.Value, now
	case Delete:
		return true, None
	}
	met := o.Condition == Always || o.Condition == IfNone && now == None || o.Condition == IfMatch && now == o.Match
	switch {
	case outcome == Unknown && !met:
		return true, now
	case met != (outcome != Refused):
		return false, now
	case met:
		return true, o.Value
	}
	return true, now
}
