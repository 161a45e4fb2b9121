package dev.rlvr.e2e.operator;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.luaj.vm2.Globals;
import org.luaj.vm2.LoadState;
import org.luaj.vm2.LuaTable;
import org.luaj.vm2.LuaValue;
import org.luaj.vm2.compiler.LuaC;
import org.luaj.vm2.lib.PackageLib;
import org.luaj.vm2.lib.TableLib;
import org.luaj.vm2.lib.jse.JseBaseLib;

/**
 * What a health script of Argo CD says of a resource.
 *
 * @param status Argo CD's word
 * @param message for people
 */
record ArgoCdHealth(String status, String message) {
    /** Runs a script as Argo CD does: the resource in the global {@code obj}, and no library but the base, package and table ones. */
    static ArgoCdHealth of(Path script, JsonNode resource) throws IOException {
        Globals lua = new Globals();
        lua.load(new JseBaseLib());
        lua.load(new PackageLib());
        lua.load(new TableLib());
        LoadState.install(lua);
        LuaC.install(lua);
        lua.set("obj", value(resource));
        LuaValue health = lua.load(Files.readString(script), script.toString()).call();
        return new ArgoCdHealth(
                health.get("status").checkjstring(), health.get("message").checkjstring());
    }

    private static LuaValue value(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> {
                LuaTable table = new LuaTable();
                node.properties().forEach(field -> table.set(field.getKey(), value(field.getValue())));
                yield table;
            }
            case ARRAY -> {
                LuaTable table = new LuaTable();
                node.forEach(entry -> table.set(table.length() + 1, value(entry)));
                yield table;
            }
            case NUMBER -> LuaValue.valueOf(node.doubleValue());
            case BOOLEAN -> LuaValue.valueOf(node.booleanValue());
            case STRING -> LuaValue.valueOf(node.textValue());
            case NULL, MISSING, BINARY, POJO -> LuaValue.NIL;
        };
    }
}
