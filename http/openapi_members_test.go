package http

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOpenAPIHasTheMembers compares the members of the document's schemas with
// those of the structs that server and client share, both ways.
func TestOpenAPIHasTheMembers(t *testing.T) {
	doc := document(t)
	for name, answer := range map[string]any{
		"Job": jobAnswer{}, "Progress": progressAnswer{}, "Callback": callbackAnswer{}, "JobPage": pageAnswer{}, "Caller": callerAnswer{}, "CallerPage": callersAnswer{}, "Group": groupAnswer{},
		"Factorization": factorizationAnswer{}, "Power": powerAnswer{}, "KnownPage": knownAnswer{}, "Taught": taughtAnswer{}, "RefusedFactors": refusedAnswer{},
		"Key": keyAnswer{}, "KeyPage": keysAnswer{},
		"Fairness": fairnessAnswer{}, "FairnessLevel": levelAnswer{}, "NodeList": nodesAnswer{}, "Node": nodeAnswer{}, "Worker": workerAnswer{}, "Health": statusAnswer{}, "Problem": problemAnswer{},
	} {
		schema := at(t, doc, "components", "schemas", name)
		documented := slices.Sorted(maps.Keys(at(t, schema, "properties")))
		var members, always []string
		for i, typ := 0, reflect.TypeOf(answer); i < typ.NumField(); i++ {
			member, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			members = append(members, member)
			if options == "" {
				always = append(always, member)
			}
		}
		slices.Sort(members)
		if !slices.Equal(documented, members) {
			t.Errorf("%s: documented are %v, the struct has %v", name, documented, members)
		}
		if name == "Job" {
			continue // written by hand: found, probable and progress may be missing
		}
		var required []string
		for _, member := range schema["required"].([]any) {
			required = append(required, member.(string))
		}
		slices.Sort(required)
		slices.Sort(always)
		if !slices.Equal(required, always) {
			t.Errorf("%s: required are %v, always there are %v", name, required, always)
		}
	}
}

// TestOpenAPIHasTheParameters compares the documented parameters of queries with
// those that the endpoints know.
func TestOpenAPIHasTheParameters(t *testing.T) {
	doc, braces := document(t), regexp.MustCompile(`\{[^}]*\}`)
	for path, item := range at(t, doc, "paths") {
		for name, op := range item.(object) {
			if name == "parameters" {
				continue
			}
			documented := []string{}
			list, _ := op.(object)["parameters"].([]any)
			for _, p := range list {
				if parameter := follow(t, doc, p); parameter["in"] == "query" {
					documented = append(documented, parameter["name"].(string))
				}
			}
			slices.Sort(documented)
			i := slices.IndexFunc(resources, func(r resource) bool { return r.path == braces.ReplaceAllString(path, "{id}") })
			m := methodOf([]byte(strings.ToUpper(name)))
			if known := slices.Sorted(slices.Values(resources[i].endpoints[m].parameters)); !slices.Equal(known, documented) {
				t.Errorf("%s %s: documented are %v, known %v", name, path, documented, known)
			}
		}
	}
}
