# add_room(TARGET PREFIX [LINK <room or library>...] [PRIVATE <library>...])
#
# One directory = one room = one static library. Its headers are reached as "PREFIX/header.h", and only by a target that
# links the room: the include path of a room is a folder of its own that holds nothing but a link PREFIX -> the sources.
# So the include rule of the architecture (boundary -> mail, m365; m365 -> http, mail, mime, store; ...) is what the
# LINK lists say, and a wrong include does not compile. PRIVATE libraries show in no header of the room.
function(add_room target prefix)
  cmake_parse_arguments(ROOM "" "" "LINK;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/exports.cpp) # of the shared object, see boundary/
  set(path ${CMAKE_BINARY_DIR}/rooms/${target})
  file(MAKE_DIRECTORY ${path})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${path}/${prefix} SYMBOLIC)
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${path})
    target_link_libraries(${target} PUBLIC ${ROOM_LINK} PRIVATE ${ROOM_PRIVATE})
    translate_quickly(${target})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${path})
    target_link_libraries(${target} INTERFACE ${ROOM_LINK} ${ROOM_PRIVATE})
  endif()
endfunction()
