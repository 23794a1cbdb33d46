/*
 * Reads a Jenkinsfile by the compiler that Jenkins has, and says which of its steps would be run: as JSON, each with the
 * variables that it is given. It knows the words of a declarative pipeline that are needed here, and refuses all others.
 *
 * Arguments: the Jenkinsfile, and as JSON an array of builds: of each the variables, the credentials and what triggered it.
 */
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class Section {
    Map build
    Map environment
    String name
    List found

    static void inside(Closure body, Object owner) {
        body.delegate = owner
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }

    Map getEnv() { build.variables.withDefault { null } }
}

class Pipeline extends Section {
    String schedule
    String getAny() { 'any' }
    void agent(String which) { assert which == 'any' }
    void options(Closure body) { inside(body, new Options()) }
    void triggers(Closure body) { inside(body, new Triggers(build: build, pipeline: this)) }
    void environment(Closure body) { inside(body, new Variables(build: build, environment: environment)) }
    void stages(Closure body) { inside(body, new Stages(build: build, environment: environment, found: found)) }
}

class Options {
    void disableConcurrentBuilds() {}
}

class Triggers extends Section {
    Pipeline pipeline
    void cron(String schedule) { pipeline.schedule = schedule }
}

class Variables extends Section {
    String credentials(String id) {
        if (!build.credentials.containsKey(id)) throw new IllegalStateException("there is no credential ${id}")
        build.credentials[id]
    }
    void propertyMissing(String name, value) { environment[name] = value }
}

class Stages extends Section {
    void stage(String name, Closure body) {
        def stage = new Stage(build: build, environment: new LinkedHashMap(environment), name: name, found: [])
        inside(body, stage)
        if (stage.applies) found.addAll(stage.found)
    }
}

class Stage extends Section {
    boolean applies = true
    Closure given = {}
    void when(Closure body) { applies = new Conditions(build: build).all(body) }
    void environment(Closure body) { given = body }
    void steps(Closure body) {
        if (!applies) return
        inside(given, new Variables(build: build, environment: environment))
        inside(body, new Steps(environment: environment, name: name, found: found))
    }
}

class Conditions extends Section {
    List held = []
    boolean all(Closure body) {
        inside(body, this)
        held.every { it }
    }
    void branch(String name) { held << (build.variables.BRANCH_NAME == name) }
    void triggeredBy(String cause) { held << (build.cause == cause) }
    void expression(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        held << (body() as boolean)
    }
    void not(Closure body) { held << !new Conditions(build: build).all(body) }
}

class Steps extends Section {
    void sh(String lines) { found << [name: name, env: environment, lines: [lines]] }
}

def results = new JsonSlurper().parseText(args[1]).collect { build ->
    def pipeline = new Pipeline(build: build, environment: new LinkedHashMap(build.variables), found: [])
    def shell = new GroovyShell(new Binding(pipeline: { Closure body -> Section.inside(body, pipeline) }))
    shell.evaluate(new File(args[0]))
    [schedule: pipeline.schedule, steps: pipeline.found]
}
println JsonOutput.toJson(results)
